import path from 'node:path';
import { button, expectOn, label } from '../actions/flows.js';
import { recordAndRun } from '../actions/recorded.js';
import { expect, runTests, secretValues, test } from '../fixtures.js';

const fill = (value: string) => ({ action: 'fill', target: label('New note'), value });
const add = { action: 'click', target: button('Add') };

test('a one-time password is given to the page and computed by the test', async ({
  shared: server,
  pages,
}) => {
  const home = new URL(pages.url).origin;
  await server.configure({
    autoAssert: true,
    secrets: [{ name: 'OTP_SEED', origins: [home] }, 'BAD_SEED'],
  });
  const { sessionId } = await server.start({ title: 'Code', url: `${pages.url}/consent.html?plain` });
  const typed = await server.record(sessionId, fill('{{totp:OTP_SEED}}'), add);
  expect(typed.failed).toBeUndefined();
  expect(typed.text).toContain('{{totp:OTP_SEED}}');
  expect(typed.text).not.toMatch(/\b\d{6}\b/);

  const bad = await server.record(sessionId, fill('{{totp:BAD_SEED}}'));
  expect(bad.error?.message).toContain("BAD_SEED can't generate one-time passwords");
  expect(bad.text).not.toContain('base32!');
  const malformed = await server.record(sessionId, fill('{{totp: OTP_SEED}}'));
  expect(malformed.error?.message).toContain('{{totp:NAME}}');

  await server.record(sessionId, { action: 'goto', url: `${pages.crossOriginUrl}/consent.html?plain` });
  const elsewhere = await server.record(sessionId, fill('{{totp:OTP_SEED}}'));
  expect(elsewhere.failed?.code).toBe('POLICY_DENIED');

  const { testCode, error } = await server.call('end_codegen_session', { sessionId, verify: 'require' });
  expect(error).toBeUndefined();
  expect(testCode).toContain('.fill(totp(process.env.OTP_SEED ?? ""));');
  expect(testCode).toContain('expect(process.env.OTP_SEED, "OTP_SEED is set").toBeTruthy();');
  expect(testCode).not.toContain(secretValues.OTP_SEED);
});

const words = (url: string) => [
  { action: 'goto', url: `${url}/consent.html?plain` },
  fill('Milk {{unique:note}}'),
  add,
  fill('{{unique:other_note}}'),
  add,
  expectOn("getByRole('listitem').filter({ hasText: '{{unique:note}}' })", 'toHaveText', {
    expected: 'Milk {{unique:note}}',
  }),
  expectOn('getByRole("list")', 'toContainText', {
    expected: { regex: '^Milk {{unique:note}}', flags: 'i' },
  }),
  expectOn('getByRole("list")', 'toMatchAriaSnapshot', {
    expected: '- list:\n  - listitem: Milk {{unique:note}}\n  - listitem: "{{unique:other_note}}"',
  }),
];

test('a word is new in every run', async ({ shared, pages }) => {
  test.slow();
  await shared.configure({ autoAssert: true });
  for (const [template, verify, status] of [
    ['plain', 'require', 'passed'],
    ['pom', 'off', 'off'],
  ] as const) {
    const { sessionId } = await shared.start({ title: `Words ${template}`, options: { template } });
    const { failed, snapshot } = await shared.record(sessionId, ...words(pages.url));
    expect(failed).toBeUndefined();
    const word = /Milk ([a-z]{10})/.exec(snapshot)?.[1] ?? 'none';
    const ended = await shared.call('end_codegen_session', { sessionId, verify });
    expect(ended.error).toBeUndefined();
    const { testCode, filePath } = ended;
    expect(ended['verification']).toMatchObject({ status });
    expect(JSON.stringify(ended.files)).not.toContain(word);
    expect(testCode).not.toContain(word);
    expect(testCode).toContain('const uniqueNote = uniqueWord();');
    expect(testCode).toContain('`Milk ${uniqueNote}`');
    expect(testCode).toContain('new RegExp(`^Milk ${uniqueNote}`, "i")');

    const resumed = await shared.start({ resume: path.relative(shared.workspace, filePath) });
    expect(resumed.failed).toBeUndefined();
    expect(resumed.snapshot).toMatch(/Milk [a-z]{10}/);
    expect(resumed.snapshot).not.toContain(word);
    const { code } = await shared.call('get_codegen_session', {
      sessionId: resumed.sessionId,
      include: ['code'],
    });
    expect(code).toContain('const uniqueNote = uniqueWord();');
  }
  expect((await runTests(shared.workspace)).output).toContain('2 passed');
});

test('automatic assertions have the variable, not the word', async ({ open, shared }) => {
  await shared.configure({ autoAssert: true });
  const { land } = await open('consent.html?plain');
  const { assertions, snapshot } = await land(fill('Milk {{unique:note}}'), add, fill('Bread'), add);
  const word = /Milk ([a-z]{10})/.exec(snapshot)?.[1] ?? 'none';
  const asserted = assertions.flat().join('\n');
  expect(asserted).not.toContain(word);
  expect(asserted).toContain('`Milk ${uniqueNote}`');
});

test('both tokens in a hook, in both languages', async ({ shared, pages }) => {
  test.slow();
  const [open, ...rest] = words(pages.url);
  await recordAndRun(
    shared,
    [
      {
        title: 'Words in hooks',
        actions: [
          { action: 'step', title: 'Open', hook: 'beforeEach' },
          { ...open },
          { action: 'step', title: 'Add' },
          ...rest,
          { action: 'step', title: 'Clean up', hook: 'afterEach' },
          fill('{{unique:note}}'),
        ],
      },
    ],
    'typescript',
  );
});
