import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CodegenError } from '../../src/model/errors.js';
import { loadSession, savedFile } from '../../src/session/saved.js';
import type { Session } from '../../src/session/session.js';
import { expect, test } from '../fixtures.js';

const file = 'generated-tests/pays.spec.ts';
const session: Session = {
  id: 'one',
  grant: 'local',
  title: 'pays',
  file: 'pays.spec.ts',
  path: file,
  emission: {
    language: 'typescript',
    template: 'plain',
    includeComments: true,
    testNamePrefix: 'smoke: ',
    outputPath: undefined,
  },
  autoAssert: true,
  use: { locale: 'de', viewport: null },
  resumed: false,
  steps: [
    { action: 'goto', args: { url: '/' }, note: 'Says "hello" \u2028 \ud800', changedPage: true },
    {
      action: 'click',
      locator: [
        { method: 'locator', args: ['iframe'] },
        { method: 'contentFrame', args: [] },
        { method: 'getByRole', args: ['button', { name: { regex: 'a+', flags: 'i' }, exact: true }] },
        { method: 'filter', args: [{ has: { locator: [{ method: 'getByText', args: ['x'] }] } }] },
        { method: 'nth', args: [-1] },
      ],
      args: { modifiers: ['Shift'], position: { x: 1.5, y: 2 } },
      assertions: [
        { args: { matcher: 'toHaveURL', expected: { regex: 'x' } } },
        {
          locator: [{ method: 'getByRole', args: ['status'] }],
          args: { matcher: 'toHaveText', expected: 'x' },
        },
      ],
    },
    { action: 'expect', args: { matcher: 'toHaveTitle', expected: 'x' }, unchecked: true },
  ],
  status: 'open',
  lastUrl: '',
};

const verification: Parameters<typeof savedFile>[2] = {
  status: 'passed',
  runs: 1,
  passed: 1,
  sensitivity: { withoutJavaScript: 'failed', stepsTried: 3, unnoticed: [1] },
};

/** Saves a session as ending it does. */
async function save(state: string, which = session): Promise<void> {
  const { names, text } = savedFile(which, file, verification);
  const place = path.join(state, ...names);
  await mkdir(path.dirname(place), { recursive: true });
  await writeFile(place, text);
}

/** The only file of the saved sessions. */
async function placeOf(state: string): Promise<string> {
  const names = await readdir(path.join(state, 'sessions'));
  expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.json$/)]);
  return path.join(state, 'sessions', names[0] ?? '');
}

test('a saved session comes back as it was, for its own file and no other', async ({}, info) => {
  const state = info.outputPath('state');
  await save(state, { ...session, title: 'before' });
  await save(state);
  const { title, use, autoAssert, steps, emission } = session;
  expect(await loadSession(state, file)).toEqual({
    version: 2,
    file,
    title,
    use,
    autoAssert,
    steps,
    emission: { ...emission, outputPath: undefined },
    verification: { ...verification, at: expect.any(String) },
  });
  expect(await loadSession(state, 'generated-tests/other.spec.ts')).toBeUndefined();
  await placeOf(state);
});

const step = (change: object): object => ({ steps: [{ action: 'goto', args: { url: '/' }, ...change }] });
const located = (...locator: unknown[]): object => step({ action: 'click', args: {}, locator });
const damaged: [what: string, change: object, why: RegExp][] = [
  ['an unknown action', step({ action: 'teleport' }), /there is no action "teleport"/],
  ['an action that is never recorded', step({ action: 'undo', args: {} }), /there is no action "undo"/],
  ['wrong arguments', step({ args: { url: 1 } }), /goto: url: /],
  ['an unknown argument', step({ args: { url: '/', force: true } }), /goto: .*force/],
  ['an unknown matcher', step({ assertions: [{ args: { matcher: 'toBeNice' } }] }), /toBeNice/],
  ['a missing locator', step({ action: 'click', args: {} }), /click has no locator/],
  ['an unknown locator method', located({ method: 'evaluate', args: [] }), /evaluate/],
  ['a locator that ends nowhere', located({ method: 'frameLocator', args: ['x'] }), /ends at a frame/],
  ['a locator that is none', located('button'), /steps\.0\.locator/],
  ['a field that this version does not know', step({ wait: 5 }), /wait/],
  ['an option of use that there is none', { use: { launchOptions: {} } }, /launchOptions/],
  ['no steps', { steps: [] }, /steps/],
  ["another file's session", { file: 'other.spec.ts' }, /belongs to other\.spec\.ts/],
  ['an older form', { version: 0 }, /version/],
  ['a newer form', { version: 3, steps: 'of another kind' }, /saved by a newer version/],
];
for (const [what, change, why] of damaged)
  test(`a damaged session is not resumed: ${what}`, async ({}, info) => {
    const state = info.outputPath('state');
    await save(state);
    const saved = await placeOf(state);
    const whole: unknown = JSON.parse(await readFile(saved, 'utf8'));
    await writeFile(saved, JSON.stringify(Object.assign({}, whole, change)));
    await expectRefusal(state, why);
  });

test('a truncated or foreign file is not resumed', async ({}, info) => {
  const state = info.outputPath('state');
  await save(state);
  const saved = await placeOf(state);
  const whole = await readFile(saved, 'utf8');
  for (const text of ['', whole.slice(0, -10), '[]', 'null', '{"version":"3"}']) {
    await writeFile(saved, text);
    await expectRefusal(state, /is damaged/);
  }
});

async function expectRefusal(state: string, why: RegExp): Promise<void> {
  const error: unknown = await loadSession(state, file).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CodegenError);
  expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(why) });
  expect(error).toMatchObject({ hint: 'Record the flow again, or correct the test by hand.' });
}
