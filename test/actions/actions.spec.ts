import { actionFamilies, actions } from '../../src/actions/registry.js';
import { matchers } from '../../src/actions/expect.js';
import { expect, test } from '../fixtures.js';
import { allKindsOfPage, button, expectOn, label, status } from './flows.js';
import { recordAndRun, type Flow } from './recorded.js';

function elements(url: string): Flow {
  return {
    title: 'Elements and matchers',
    use: { hasTouch: true, viewport: { width: 900, height: 700 } },
    actions: [
      { action: 'step', title: 'Keyboard and mouse' },
      { action: 'goto', url: `${url}/keyboard.html` },
      { action: 'click', target: button('Target'), modifiers: ['Shift'], position: { x: 5, y: 5 } },
      status('Shift+click button 0 count 1'),
      { action: 'click', target: button('Target'), button: 'right' },
      status({ regex: 'contextmenu button 2' }),
      { action: 'dblclick', target: button('Target') },
      status('dblclick button 0 count 2'),
      { action: 'tap', target: button('Target') },
      status('click button 0 count 1'),
      { action: 'focus', target: label('Focus me') },
      status('focus'),
      expectOn(label('Focus me'), 'toBeFocused'),
      { action: 'blur', target: label('Focus me') },
      status('blur'),
      expectOn(label('Focus me'), 'toBeFocused', { not: true }),
      { action: 'pressSequentially', target: label('Type here'), value: 'abc', delay: 1 },
      status('c (3)'),
      { action: 'press', target: label('Type here'), key: 'Shift+Tab' },
      { action: 'press', key: 'Control+k' },
      status('Control+search opened'),
      { action: 'hover', target: button('File') },
      expectOn(button('Export'), 'toBeVisible'),
      { action: 'click', target: button('Export') },
      status('Export clicked'),
      { action: 'scrollIntoViewIfNeeded', target: button('Far below') },
      expectOn(button('Far below'), 'toBeInViewport', { options: { ratio: 1 } }),

      { action: 'step', title: 'Navigation' },
      { action: 'goto', url: `${url}/landing.html` },
      { action: 'waitForURL', url: '**/landing.html' },
      { action: 'goBack' },
      { action: 'waitForURL', url: { regex: 'KEYBOARD\\.html$', flags: 'i' } },
      { action: 'goForward' },
      { action: 'expect', matcher: 'toHaveURL', expected: `${url}/landing.html` },
      { action: 'reload' },
      { action: 'expect', matcher: 'toHaveTitle', expected: { regex: '.' } },

      { action: 'step', title: 'Form' },
      { action: 'goto', url: `${url}/form.html` },
      { action: 'waitFor', target: button('Sign up') },
      { action: 'click', target: button('Sign up'), note: 'Too early: the form says so.' },
      expectOn(label('Full name'), 'toHaveAccessibleErrorMessage', { expected: 'Tell us your name.' }),
      expectOn(label('Full name'), 'toHaveAttribute', { name: 'aria-invalid', expected: 'true' }),
      expectOn(label('Full name'), 'toHaveCSS', { name: 'border-top-color', expected: 'rgb(200, 0, 0)' }),
      { action: 'fill', target: label('Full name'), value: "Ann O'Hara `${name}`" },
      { action: 'fill', target: label('Email'), value: 'wrong' },
      { action: 'clear', target: label('Email') },
      expectOn(label('Email'), 'toBeEmpty'),
      { action: 'fill', target: label('Email'), value: 'ann@example.com' },
      expectOn(label('Email'), 'toHaveAccessibleDescription', { expected: 'We never share it.' }),
      expectOn('getByPlaceholder("Nickname")', 'toHaveId', { expected: '' }),
      { action: 'selectOption', target: label('Country'), values: 'Germany' },
      expectOn(label('Country'), 'toHaveValue', { expected: 'de' }),
      { action: 'selectOption', target: label('Languages'), values: ['en', 'Japanese'] },
      expectOn(label('Languages'), 'toHaveValues', { expected: ['en', { regex: '^j' }] }),
      { action: 'check', target: label('Pro') },
      expectOn(label('Free'), 'toBeChecked', { options: { checked: false } }),
      { action: 'check', target: label('I accept the terms') },
      { action: 'uncheck', target: label('Send me news') },
      expectOn(label('I accept the terms'), 'toBeChecked'),
      expectOn(label('Send me news'), 'toHaveJSProperty', { name: 'checked', expected: false }),
      expectOn(label('Customer number'), 'toBeEditable', { not: true }),
      expectOn(label('Referral code'), 'toBeDisabled'),
      expectOn(button('Sign up'), 'toBeEnabled'),
      expectOn(button('Sign up'), 'toHaveRole', { expected: 'button' }),
      expectOn(button('Sign up'), 'toHaveAccessibleName', {
        expected: 'sign up',
        options: { ignoreCase: true },
      }),
      expectOn('getByRole("region", { name: "Summary" })', 'toBeHidden'),
      expectOn('section', 'toBeAttached'),
      { action: 'click', target: button('Sign up') },
      { action: 'waitFor', target: 'getByRole("region", { name: "Summary" })', state: 'visible' },
      expectOn('getByRole("region", { name: "Summary" }).getByRole("listitem")', 'toContainText', {
        expected: ["name: Ann O'Hara `${name}`", { regex: 'ann@' }],
      }),
      expectOn('getByRole("region", { name: "Summary" }).getByRole("listitem")', 'toHaveCount', {
        expected: 13,
      }),

      { action: 'step', title: 'Classes' },
      { action: 'goto', url: `${url}/keyboard.html` },
      expectOn(button('Help'), 'toHaveClass', { expected: 'tip' }),
      expectOn(button('Help'), 'toContainClass', { expected: 'tip' }),

      { action: 'step', title: 'Scripts' },
      {
        action: 'evaluate',
        expression: "document.querySelector('[role=status]').textContent = `it's \"${6 * 7}\"`;\n// the end",
      },
      status('it\'s "42"'),
    ],
  };
}

function dialogs(url: string): Flow {
  return {
    title: 'Dialogs',
    actions: [
      { action: 'goto', url: `${url}/dialogs.html` },
      { action: 'onDialog', message: 'Saved.' },
      { action: 'click', target: button('Alert') },
      status('alert closed'),
      { action: 'step', title: 'Answer' },
      { action: 'onDialog' },
      { action: 'click', target: button('Confirm') },
      status('deleted'),
      { action: 'onDialog', accept: false },
      { action: 'click', target: button('Confirm') },
      status('kept'),
      { action: 'click', target: button('Confirm'), note: 'Unannounced dialogs are dismissed.' },
      status('kept'),
      { action: 'onDialog', accept: false, note: 'Once more.' },
      { action: 'step', title: 'Announced before', note: 'A dialog is waited for in the step of its click.' },
      { action: 'click', target: button('Confirm') },
      status('kept'),
      { action: 'onDialog', promptText: "Ann O'Hara", message: { regex: 'your name' } },
      { action: 'click', target: button('Prompt') },
      status("name: Ann O'Hara"),
      { action: 'onDialog', message: 'Sure?' },
      { action: 'onDialog', message: 'Really sure?', note: 'It asks twice.' },
      { action: 'click', target: button('Two in a row') },
      status('very sure'),
      { action: 'onDialog' },
      { action: 'click', target: button('Late confirm') },
      status('still there'),
      { action: 'check', target: label('Unsaved changes') },
      { action: 'click', target: 'getByRole("link", { name: "Leave" })' },
      { action: 'waitForURL', url: '**/landing.html' },
    ],
  };
}

function severalPages(url: string): Flow {
  const opener = { action: 'switchPage', page: 'p1' };
  const atLanding = (from: string): Record<string, unknown> => ({
    action: 'expect',
    matcher: 'toHaveURL',
    expected: `${url}/landing.html?from=${from}`,
  });
  return {
    title: 'Popups and tabs',
    actions: [
      { action: 'goto', url: `${url}/popup.html` },
      { action: 'step', title: 'Popup' },
      { action: 'click', target: button('Open a popup') },
      { action: 'switchPage', page: 'p2' },
      atLanding('popup'),
      opener,
      { action: 'step', title: 'Tab' },
      { action: 'click', target: 'getByRole("link", { name: "Open a new tab" })' },
      { action: 'switchPage', page: 'p3' },
      atLanding('tab'),
      { action: 'closePage' },
      { action: 'switchPage', page: 'p2' },
      atLanding('popup'),
      opener,
      { action: 'click', target: button('Open a slow popup') },
      { action: 'click', target: button('Open a popup later') },
      { action: 'switchPage', page: 'p5' },
      atLanding('timer'),
      opener,
      { action: 'click', target: button('Open two popups') },
      { action: 'switchPage', page: 'p7' },
      atLanding('second'),
      opener,
      { action: 'click', target: button('Open a popup that talks back') },
      { action: 'switchPage', page: 'p8' },
      { action: 'click', target: button('Answer') },
      opener,
      status('answered'),
      { action: 'newPage', url: `${url}/landing.html?from=new` },
      { action: 'newPage' },
      { action: 'switchPage', page: 'p9' },
      atLanding('new'),
    ],
  };
}

function flows(url: string): Flow[] {
  return [elements(url), dialogs(url), severalPages(url)];
}

test('every action and every matcher is recorded and run here or in pages.spec.ts', () => {
  const used = new Set(
    [...flows(''), ...allKindsOfPage('')].flatMap((flow) =>
      flow.actions.flatMap((each) => [each['action'], each['matcher']]),
    ),
  );
  // Those of environment.spec.ts are counted there; contexts.spec.ts records newContext, and test/ui handOver.
  const others = ['network', 'environment'].flatMap((family) => actionFamilies[family] ?? []);
  const missing = [...actions.values()].filter(({ name }) => !used.has(name));
  expect(missing.filter((action) => !others.includes(action)).map(({ name }) => name)).toEqual([
    'newContext',
    'handOver',
    'remove',
    'undo',
  ]);
  expect(Object.keys(matchers).filter((name) => !used.has(name))).toEqual([]);
});

test('elements, dialogs and pages, recorded and run in both languages', async ({ shared, pages }) => {
  test.slow();
  const actionRules = { record_codegen_session: { actions: { allow: ['evaluate'] } } };
  await shared.configure({ policy: { version: '1', default: 'allow', tools: actionRules } });
  await recordAndRun(shared, flows(pages.url), 'typescript');
});
