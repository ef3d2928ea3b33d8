import type { Flow } from './recorded.js';

export const label = (name: string): string => `getByLabel(${JSON.stringify(name)})`;
export const button = (name: string): string =>
  `getByRole("button", { name: ${JSON.stringify(name)}, exact: true })`;
export const link = (name: string): string => `getByRole("link", { name: ${JSON.stringify(name)} })`;

export const expectOn = (target: string, matcher: string, more: object = {}): Record<string, unknown> => ({
  action: 'expect',
  target,
  matcher,
  ...more,
});

/** Asserts what the page's status says. */
export const status = (expected: unknown): Record<string, unknown> =>
  expectOn('getByRole("status")', 'toHaveText', { expected });

/** Dragging, and the mouse by coordinates. */
export function pointer(url: string): Flow {
  const history = { x: 100, y: 30 };
  return {
    title: 'Mouse and drag and drop',
    use: { viewport: { width: 800, height: 900 } },
    actions: [
      { action: 'goto', url: `${url}/pointer.html` },
      { action: 'mouse.click', x: 40, y: 50 },
      status('click at 40, 50'),
      { action: 'mouse.click', x: 41, y: 51, button: 'right' },
      status('contextmenu at 41, 51'),
      { action: 'mouse.dblclick', x: 60, y: 20 },
      status('dblclick at 60, 20'),
      { action: 'mouse.move', x: 10, y: 10 },
      { action: 'mouse.down' },
      { action: 'mouse.move', x: 90, y: 80, steps: 3 },
      { action: 'mouse.up' },
      status('line from 10,10 to 90,80'),
      { action: 'dragTo', target: '#card', to: 'getByRole("list", { name: "Done" })' },
      status('card dropped'),
      expectOn('getByRole("list", { name: "Done" })', 'toContainText', { expected: 'Write tests' }),
      { action: 'dragTo', target: button('Box'), to: 'getByRole("group", { name: "Truck" })' },
      status('box loaded'),
      {
        action: 'dragTo',
        target: 'getByRole("slider")',
        to: 'getByRole("group", { name: "Track" })',
        position: { x: 200, y: 10 },
      },
      expectOn('getByRole("slider")', 'toHaveAttribute', { name: 'aria-valuenow', expected: '200' }),
      { action: 'hover', target: 'getByRole("log")', position: history },
      { action: 'mouse.wheel', deltaX: 0, deltaY: 500 },
      status('scrolled down'),
    ],
  };
}

/** Uploads, downloads, and what a session makes. */
export function files(url: string): Flow {
  return {
    title: 'Files and output',
    verify: 'require',
    actions: [
      { action: 'goto', url: `${url}/files.html` },
      { action: 'step', title: 'Uploads' },
      { action: 'setInputFiles', target: label('Documents'), files: ['uploads/one.txt', 'uploads/two.txt'] },
      status('one.txt: first; two.txt: second'),
      { action: 'setInputFiles', target: label('Documents'), files: [] },
      status('no files'),
      { action: 'setInputFiles', target: '#avatar', files: 'uploads/two.txt' },
      status('two.txt: second'),
      { action: 'setInputFiles', target: button('Choose a picture'), files: 'uploads/one.txt' },
      status('one.txt: first'),
      { action: 'drop', target: '#zone', files: ['uploads/one.txt', 'uploads/two.txt'] },
      status('one.txt: first; two.txt: second'),
      { action: 'drop', target: '#zone', data: { 'text/plain': 'a note' }, position: { x: 5, y: 5 } },
      status('text: a note'),
      { action: 'step', title: 'Downloads' },
      { action: 'click', target: link('Download the report') },
      { action: 'saveDownload', path: 'report.csv' },
      { action: 'click', target: button('Download later') },
      { action: 'saveDownload', path: '.codegen/artifacts/late/late.txt' },
      { action: 'click', target: link('Invoice in a new tab') },
      { action: 'saveDownload', path: 'invoice.pdf' },
      { action: 'step', title: 'Output' },
      { action: 'screenshot', path: 'page.png', fullPage: true },
      { action: 'screenshot', path: 'button.jpg', target: button('Choose a picture') },
      { action: 'pdf', path: 'print/page.pdf' },
    ],
  };
}

/** Frames, shadow roots and inputs of every kind. */
export function kindsOfPage(url: string): Flow {
  const frame = (title: string): string => `locator('iframe[title="${title}"]').contentFrame()`;
  const inFrame = (title: string, name: string): Record<string, unknown>[] => {
    const target = `${frame(title)}.${name.includes('Innermost') ? `${frame('Inner')}.` : ''}getByRole("button")`;
    return [{ action: 'click', target }, expectOn(target, 'toHaveText', { expected: `${name} clicked` })];
  };
  return {
    title: 'Frames, shadow roots and inputs',
    actions: [
      { action: 'goto', url: `${url}/frames.html` },
      ...inFrame('Outer', 'Innermost'),
      ...inFrame('Inline', 'Inline'),
      ...inFrame('Payment', 'Pay'),
      { action: 'goto', url: `${url}/shadow.html` },
      { action: 'click', target: button('One more of Plums') },
      { action: 'fill', target: 'getByRole("spinbutton", { name: "Pears" })', value: '3' },
      { action: 'click', target: button('Order') },
      expectOn('output', 'toHaveText', { expected: 'Apples: 0, Pears: 3, Plums: 1' }),
      { action: 'goto', url: `${url}/inputs.html` },
      { action: 'fill', target: label('Date'), value: '2026-02-28' },
      { action: 'fill', target: label('Time'), value: '23:45' },
      { action: 'fill', target: label('Colour'), value: '#336699' },
      { action: 'fill', target: label('Range'), value: '7' },
      { action: 'fill', target: label('Editable'), value: 'Line one' },
      { action: 'press', target: label('Editable'), key: 'End' },
      { action: 'pressSequentially', target: label('Editable'), value: ' and more' },
      { action: 'selectOption', target: label('Several'), values: ['a', 'Cherry'] },
      status('2026-02-28 23:45 #336699 7 Line one and more a,c'),
    ],
  };
}

/** An overlay that covers the page whenever it likes. */
export function overlay(url: string): Flow {
  return {
    title: 'Cookie banner',
    actions: [
      { action: 'addLocatorHandler', target: 'getByRole("dialog")', click: button('Reject all') },
      { action: 'goto', url: `${url}/consent.html` },
      ...['milk', 'bread'].flatMap((note) => [
        { action: 'fill', target: label('New note'), value: note },
        { action: 'click', target: button('Add') },
        expectOn('getByRole("listitem").last()', 'toHaveText', { expected: note }),
      ]),
    ],
  };
}

/** What only a run of the test proves, and accessibility. */
export function proofs(url: string): Flow {
  return {
    title: 'Snapshots and accessibility',
    verify: 'require',
    actions: [
      { action: 'goto', url: `${url}/inputs.html` },
      {
        action: 'expect',
        target: 'getByRole("listbox")',
        matcher: 'toMatchAriaSnapshot',
        expected: '- listbox "Several":\n  - option "Apple"\n  - option /Ban.+/',
      },
      { action: 'expect', matcher: 'toMatchAriaSnapshot', expected: '- heading "Inputs" [level=1]' },
      {
        action: 'expect',
        matcher: 'toHaveScreenshot',
        name: 'inputs.png',
        options: { fullPage: true, mask: [label('Date'), 'h1'], stylePath: 'uploads/calm.css' },
      },
      expectOn('getByRole("listbox")', 'toHaveScreenshot'),
      {
        action: 'expect',
        matcher: 'toPassAxe',
        options: { rules: ['label', 'html-has-lang'], exclude: '[contenteditable]' },
      },
      { action: 'expect', matcher: 'toPassAxe', options: { include: ['h1', 'label'], rules: 'list' } },
    ],
  };
}

/** The flows of `pages.spec.ts`. */
export function allKindsOfPage(url: string): Flow[] {
  return [pointer(url), files(url), kindsOfPage(url), overlay(url), proofs(url)];
}
