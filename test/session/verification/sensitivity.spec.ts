import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { findTemplate } from '../../../src/codegen/templates.js';
import { configSchema } from '../../../src/config/schema.js';
import type { Assertion, Step } from '../../../src/model/step.js';
import { createBrowserPool } from '../../../src/browser/launch.js';
import { Secrets } from '../../../src/model/secrets.js';
import type { Session } from '../../../src/session/session.js';
import { unassertedChanges } from '../../../src/session/verification/sensitivity.js';
import type { verifySession, Verified } from '../../../src/session/verification/verify-session.js';
import { binary, expect, test } from '../../fixtures.js';
import { giveUpSoon } from '../../fixtures/give-up-soon.js';

const note = [{ method: 'getByRole', args: ['note'] }];
const status = [{ method: 'getByRole', args: ['status'] }];
const like = [{ method: 'getByRole', args: ['button', { name: 'Like' }] }];
const rest = [{ method: 'getByRole', args: ['button', { name: 'Rest' }] }];

function hasText(locator: Step['locator'] = [], expected: string): Assertion {
  return { locator, args: { matcher: 'toHaveText', expected } };
}

function click(locator: Step['locator'] = [], assertions: Assertion[] = []): Step {
  return { action: 'click', locator, args: {}, changedPage: true, assertions };
}

const loaded = z.object({
  verifySession: z.custom<typeof verifySession>((value) => typeof value === 'function'),
});

/** Verifies a session of these steps, with the server's built code, which is what starts processes. */
async function verify(workspace: string, steps: Step[], settings: object): Promise<Verified> {
  await giveUpSoon(workspace);
  const built = path.join(path.dirname(binary), 'session', 'verification', 'verify-session.js');
  const { verifySession: run } = loaded.parse(await import(pathToFileURL(built).href));
  const config = configSchema.parse({ verify: { timeoutMs: 150_000, ...settings } });
  const session: Session = {
    id: 'one',
    grant: 'local',
    title: 'likes',
    file: 'likes.spec.ts',
    path: 'generated-tests/likes.spec.ts',
    emission: {
      language: 'typescript',
      template: 'plain',
      includeComments: true,
      testNamePrefix: '',
      outputPath: undefined,
    },
    autoAssert: true,
    resumed: false,
    use: {},
    steps,
    status: 'open',
    lastUrl: '',
  };
  const file = 'generated-tests/likes.spec.ts';
  return run(
    {
      workspace,
      stateDirectory: path.join(workspace, '.codegen'),
      config: () => config,
      secrets: new Secrets(() => [], {}),
      browsers: createBrowserPool(),
    },
    {
      session,
      surroundings: {
        spec: file,
        template: await findTemplate('plain', undefined),
        project: {},
        browserName: 'chromium',
        pages: new Map(),
      },
      target: { path: file, absolutePath: path.join(workspace, file) },
    },
    { signal: new AbortController().signal, progress: () => undefined, begin: () => undefined },
  );
}

test.describe.configure({ timeout: 180_000 });

test('automatic assertions that fail in the second run are dropped together; the rest stay', async ({
  workspace,
  club,
}) => {
  const shown = await (await fetch(`${club.url}/visit`)).text();
  const visitor = /Visitor \d+/.exec(shown)?.[0] ?? '';
  const steps: Step[] = [
    {
      action: 'goto',
      args: { url: `${club.url}/visit` },
      assertions: [hasText(note, visitor), hasText(status, '0 likes')],
    },
    click(like, [hasText(status, '1 likes'), hasText(note, visitor)]),
  ];
  const { verification, warnings } = await verify(workspace, steps, { sensitivity: 'quick', runs: 2 });
  expect(verification).toMatchObject({ status: 'passed', runs: 2, passed: 2 });
  expect(verification.dropped).toEqual(
    [0, 1].map((step) => ({
      step,
      index: step,
      code: `await expect(page.getByRole("note")).toHaveText(${JSON.stringify(visitor)});`,
      reason: 'was false in another run',
    })),
  );
  expect(steps.map(({ assertions }) => assertions)).toEqual([
    [hasText(status, '0 likes')],
    [hasText(status, '1 likes')],
  ]);
  // Each change is asserted, so no run without JavaScript is needed.
  expect(verification).not.toHaveProperty('sensitivity');
  expect(warnings).toEqual([
    expect.stringContaining('After steps 0 and 1, automatic assertions were false in another run'),
  ]);
});

test('a failing requested assertion is a failure, and nothing is dropped', async ({ workspace, club }) => {
  const wrong = { action: 'expect', ...hasText(note, 'Visitor 0') };
  const steps: Step[] = [
    { action: 'goto', args: { url: `${club.url}/visit` }, assertions: [hasText(note, 'Visitor 0')] },
    wrong,
  ];
  const { verification } = await verify(workspace, steps, { sensitivity: 'off' });
  expect(verification).toMatchObject({ status: 'failed', failure: { step: 1 } });
  expect(verification.failure?.message.text).toContain('The page already differed after step 0.');
  expect(verification).not.toHaveProperty('dropped');
  expect(steps[0]?.assertions).toHaveLength(1);
});

test('a test that passes without JavaScript is reported as blind, with the steps to look at', async ({
  workspace,
  club,
}) => {
  const steps: Step[] = [{ action: 'goto', args: { url: `${club.url}/visit` } }, click(like), click(rest)];
  const { verification, warnings } = await verify(workspace, steps, { sensitivity: 'quick' });
  expect(verification.sensitivity).toEqual({ withoutJavaScript: 'passed' });
  expect(warnings).toEqual([expect.stringMatching(/does not notice .* after steps 1 and 2\./)]);
});

test('omitting steps one at a time shows what the test notices and what proves nothing', async ({
  workspace,
  club,
}) => {
  const contains: Assertion = { locator: status, args: { matcher: 'toContainText', expected: '1' } };
  const steps: Step[] = [
    { action: 'goto', args: { url: `${club.url}/visit` }, assertions: [hasText(status, '0 likes')] },
    click(like, [hasText(status, '1 likes'), { locator: rest, args: { matcher: 'toBeVisible' } }, contains]),
    click(rest),
    { action: 'expect', ...hasText(status, '1 likes') },
  ];
  const config = `import { appendFileSync } from 'node:fs';
appendFileSync(new URL('processes.txt', import.meta.url), 'x');
export default { testDir: 'generated-tests', expect: { timeout: 500 } };`;
  await writeFile(path.join(workspace, 'playwright.config.ts'), config);
  const { verification, warnings } = await verify(workspace, steps, { sensitivity: 'full' });
  // One worker for the test, whose changes are all asserted, and two for the runs without a step: a test that fails as
  // expected takes no worker with it.
  expect(await readFile(path.join(workspace, 'processes.txt'), 'utf8')).toBe('xxxxx');
  expect(verification).toMatchObject({
    status: 'passed',
    sensitivity: { stepsTried: 3, unnoticed: [2] },
    dropped: [
      { step: 1, index: 1, code: expect.stringContaining('toBeVisible'), reason: 'is true without its step' },
    ],
  });
  expect(steps[1]?.assertions).toEqual([hasText(status, '1 likes'), contains]);
  expect(warnings).toEqual(['The test also passes without step 2: assert its effect, or undo it.']);
});

test('a change counts as asserted if an assertion covers more than the element acted on', () => {
  const own: Assertion = { locator: like, args: { matcher: 'toBeFocused' } };
  const asked: Step = { action: 'expect', ...hasText(status, '1 likes') };
  const group: Step = { action: 'step', args: { title: 'More' } };
  const unmoved: Step = { action: 'hover', locator: rest, args: {} };
  for (const [steps, expected] of [
    [[click(like)], [0]],
    [[click(like, [own])], [0]],
    [[click(like, [own, hasText(status, '1 likes')])], []],
    [[click(like), asked], []],
    [[click(like), group, asked], []],
    [[click(like), click(rest), asked], [0]],
    [[click(like), { action: 'expect', args: { matcher: 'toHaveURL', expected: '/' } }], []],
    [[unmoved], []],
  ] satisfies [Step[], number[]][])
    expect(unassertedChanges(steps)).toEqual(expected);
});
