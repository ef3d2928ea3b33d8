import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, runTests, test } from '../fixtures.js';
import { button, label, status } from './flows.js';
import { recordAndRun } from './recorded.js';

const before = (title: string) => ({ action: 'step', title, hook: 'beforeEach' });
const after = (title: string) => ({ action: 'step', title, hook: 'afterEach' });

test('hooks run before and after the test, also after a failure', async ({ shared, club }) => {
  test.slow();
  const written = new Map<string, string>();
  for (const [template, verify, verification] of [
    ['plain', { sensitivity: 'full' }, { status: 'passed', sensitivity: { unnoticed: [] } }],
    ['pom', { mode: 'off', sensitivity: 'off' }, { status: 'off' }],
  ] as const) {
    await shared.configure({ verify });
    const { sessionId } = await shared.start({ title: `Joins ${template}`, options: { template } });
    const { failed, codes } = await shared.record(
      sessionId,
      before('Open the club'),
      { action: 'goto', url: `${club.url}/` },
      { action: 'step', title: 'Join' },
      { action: 'fill', target: label('Name'), value: template },
      { action: 'click', target: button('Join') },
      status(`Welcome, ${template}!`),
      after('Forget the name'),
      { action: 'goto', url: `${club.url}/forget?name=${template}` },
    );
    expect(failed).toBeUndefined();
    expect(codes).toHaveLength(8);

    const ended = await shared.call('end_codegen_session', { sessionId });
    expect(ended.error).toBeUndefined();
    expect(ended['verification']).toMatchObject(verification);
    expect(ended['warnings']).toEqual([expect.stringMatching('^Nothing is asserted after step 1:')]);
    const { filePath, testCode } = ended;
    expect(testCode).toMatch(/test\.beforeEach\("Open the club", async \(\{ page \}\) => \{/);
    expect(testCode).toMatch(/^test\("Joins \w+", async \(\{ page \}\) => \{/m);
    expect(testCode).toMatch(/\n\}\);\n\ntest\.afterEach\("Forget the name", async \(\{ page \}\) => \{/);
    written.set(filePath, testCode);
  }
  // In one worker, the failing ones run first: what their hook did not clean up would fail the others.
  for (const [file, code] of written)
    await writeFile(
      path.join(path.dirname(file), `a-failing-${path.basename(file)}`),
      code
        .replace('Welcome, ', 'Goodbye, ')
        .replace('expect }', 'expect as patient }')
        .replace(
          'test.beforeEach(',
          'const expect = patient.configure({ timeout: 500 });\n\ntest.beforeEach(',
        ),
    );
  const { output } = await runTests(shared.workspace, '--workers=1');
  expect(output).toContain('2 failed');
  expect(output).toContain('2 passed');
  expect(output.indexOf('a-failing-')).toBeLessThan(output.indexOf('generated-tests/joins-'));
  for (const [file, code] of written) expect(await readFile(file, 'utf8')).toBe(code);
});

test('what a hook opens is used in the test and in another hook, in both languages', async ({
  shared,
  pages,
}) => {
  test.slow();
  const atLanding = (from: string) => ({
    action: 'expect',
    matcher: 'toHaveURL',
    expected: `${pages.url}/landing.html?from=${from}`,
  });
  await recordAndRun(
    shared,
    [
      {
        title: 'A popup in a hook',
        actions: [
          before('Open'),
          { action: 'goto', url: `${pages.url}/popup.html` },
          { action: 'click', target: button('Open a popup') },
          { action: 'step', title: 'Look' },
          { action: 'switchPage', page: 'p2' },
          atLanding('popup'),
          after('Close'),
          { action: 'closePage' },
        ],
      },
    ],
    'typescript',
  );
});

test('a test for rows of data has its hooks for each', async ({ shared, club }) => {
  const { sessionId } = await shared.start({
    title: 'Rows',
    options: { data: [{ name: 'Ann' }, { name: 'Ben' }] },
  });
  await shared.record(
    sessionId,
    before('Open the club'),
    { action: 'goto', url: `${club.url}/` },
    { action: 'step', title: 'Join' },
    { action: 'fill', target: label('Name'), value: 'Ann' },
    { action: 'click', target: button('Join') },
    status('Welcome, Ann!'),
    after('Forget the name'),
    { action: 'goto', url: `${club.url}/forget?name=Ann` },
  );
  const ended = await shared.call('end_codegen_session', { sessionId, verify: 'require' });
  expect(ended.error).toBeUndefined();
  expect(ended.testCode).toContain('=${row.name}`');
  const run = await runTests(shared.workspace);
  expect(run.output).toContain('2 passed');
});

test('hooks keep the order of a test', async ({ open }) => {
  const { land, record } = await open('landing.html');
  const late = await record(before('Too late'));
  expect(late.failed).toMatchObject({ code: 'INVALID_INPUT', hint: expect.stringContaining('`at`: 0') });
  await land(after('Clean up'), { action: 'reload' });
  const test = await record({ action: 'step', title: 'Too late' });
  expect(test.failed).toMatchObject({ code: 'INVALID_INPUT', hint: expect.stringContaining('`at`: 1') });
  const { error } = await record({ action: 'step', title: 'Never', hook: 'beforeAll' });
  expect(error?.code).toBe('INVALID_INPUT');
});

test('a hook inserted at the beginning holds the steps up to the next', async ({ shared, pages }) => {
  const { sessionId } = await shared.start({ title: 'Inserted', url: `${pages.url}/landing.html` });
  await shared.record(sessionId, { action: 'step', title: 'Read' }, { action: 'reload' });
  const insert = (at: number, action: object) =>
    shared.call('record_codegen_session', { sessionId, at, actions: [action] });
  expect((await insert(0, before('Open'))).failed).toBeUndefined();
  expect((await insert(0, after('Never'))).failed?.code).toBe('INVALID_INPUT');
  const { code } = await shared.call('get_codegen_session', { sessionId, include: ['code'] });
  expect(code).toMatch(
    /beforeEach\("Open", async \(\{ page \}\) => \{\n {2}await page\.goto\([^)]+\);\n\}\);/,
  );
});
