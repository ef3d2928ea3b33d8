import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { approvals as command } from '../../src/cli/approvals.js';
import { openApprovals, type Reply } from '../../src/guard/approvals.js';
import { emitted, manualClock, openGuard, outcomeOf, type Settings } from './workspace.js';
import { expect, test } from '../fixtures.js';

const workspace = () => test.info().outputPath('workspace');
const open = (settings: Settings = {}) => openGuard(workspace(), settings);
const never = new AbortController().signal;
const requireApproval = { tools: { run: { action: 'require_approval', reason: 'ask Ann' } } };

/** The id of the request that a refused call names. */
async function requested(call: Promise<unknown>): Promise<string> {
  const refused: unknown = await outcomeOf(call.catch((error: unknown) => Promise.resolve(error)));
  expect(refused).toMatchObject({ code: 'APPROVAL_REQUIRED', decision: { kind: 'approval' } });
  const message = refused instanceof Error ? refused.message : '';
  return /person: (\w+)/.exec(message)?.[1] ?? '';
}

test('an approval lets the same call through once, and no other', async () => {
  const clock = manualClock();
  const settings = { policy: requireApproval, clock };
  const store = openApprovals({ directory: path.join(workspace(), '.codegen'), clock });
  const guard = open(settings);
  const call = { tool: 'run', args: { grep: 'a', file: 'b' } };
  const id = await requested(guard.admit(call));
  expect(await requested(guard.admit({ tool: 'run', args: { file: 'b', grep: 'a' } }))).toBe(id);
  expect(await store.list()).toMatchObject([{ id, grant: 'local', tool: 'run', reason: 'ask Ann' }]);
  await store.decide(id, true, undefined);
  await expect(store.decide(id, false, undefined)).rejects.toMatchObject({ code: 'INVALID_INPUT' });

  for (const [other, differing] of [
    [{ ...call, args: { grep: 'a' } }, settings],
    [call, { ...settings, grant: 'other' }],
    [call, { ...settings, policy: { ...requireApproval, default: 'deny' } }],
  ] as const)
    expect(await requested(open(differing).admit(other))).not.toBe(id);
  const outcomes = await Promise.all(
    Array.from({ length: 6 }, () =>
      outcomeOf(
        open(settings)
          .admit(call)
          .then(() => 'admitted'),
      ),
    ),
  );
  expect(outcomes.toSorted()).toEqual([...Array<string>(5).fill('APPROVAL_REQUIRED'), 'admitted']);

  const next = await requested(guard.admit(call));
  await store.decide(next, true, undefined);
  clock.advance(15 * 60_000);
  expect(await requested(guard.admit(call))).not.toBe(next);
});

test('what a killed server left of a request is neither shown nor approved, and the same call completes it', async () => {
  const store = openApprovals({ directory: path.join(workspace(), '.codegen') });
  const guard = open({ policy: requireApproval });
  const call = { tool: 'run', args: { grep: 'a', file: 'b' } };
  const id = await requested(guard.admit(call));
  const subject = path.join(workspace(), '.codegen', 'approvals', `${id}.txt`);
  const whole = await readFile(subject, 'utf8');
  const shown = async () => Promise.all((await store.list()).map((each) => store.subjectOf(each)));
  for (const kill of [() => rm(subject), () => writeFile(subject, whole.slice(0, 10))]) {
    await kill();
    expect(await shown()).toEqual([undefined]);
    await expect(store.decide(id, true, undefined)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `What ${id} asks for can't be shown.`,
    });
    expect(await requested(guard.admit(call))).toBe(id);
    expect(await shown()).toEqual([whole]);
  }
  await store.decide(id, true, undefined);
});

test('a grant that asks again and again displaces only its own requests', async () => {
  const store = openApprovals({ directory: path.join(workspace(), '.codegen') });
  const other = await requested(open({ policy: requireApproval, grant: 'other' }).admit({ tool: 'run' }));
  const guard = open({ policy: requireApproval });
  for (let grep = 0; grep < 101; grep++) await requested(guard.admit({ tool: 'run', args: { grep } }));
  const grants = (await store.list()).map(({ grant }) => grant);
  expect(grants.filter((grant) => grant === 'local')).toHaveLength(100);
  expect((await store.list())[0]).toMatchObject({ id: other, grant: 'other' });
});

test('a declined call says why, and uses no quota; a cancelled one does not run', async () => {
  const limit = { counter: 'runs', window: 'day', max: 1, scope: 'grant' };
  const guard = open({ policy: { tools: { run: { action: 'require_approval', limits: [limit] } } } });
  const asked: string[] = [];
  const admit = (reply: Reply, signal = never) =>
    guard.admit(
      { tool: 'run', args: { grep: '\u001b[2Jx\u3164\ufe0f\u{e0041}' } },
      { signal, ask: (question) => Promise.resolve(asked.push(question)).then(() => reply) },
    );
  await expect(admit({ approved: false, reason: 'Not now.' })).rejects.toMatchObject({
    code: 'POLICY_DENIED',
    message: 'A person declined run: Not now.',
    decision: { kind: 'approval', rule: 'tools.run.action' },
  });
  const id = await requested(admit(undefined));
  expect(await outcomeOf(admit({ approved: true }, AbortSignal.abort()))).toBe('APPROVAL_REQUIRED');
  expect(asked[0]).toContain('"grep": "');
  for (const hidden of ['\u001b', '\u3164', '\ufe0f', '\u{e0041}']) expect(asked[0]).not.toContain(hidden);

  const store = openApprovals({ directory: path.join(workspace(), '.codegen') });
  // What the command line and the web UI show.
  const [approval] = await store.list();
  const shown = approval && (await store.subjectOf(approval));
  expect(shown).toContain(String.raw`x\u{3164}\u{fe0f}\u{e0041}`);
  for (const hidden of ['\u001b', '\u3164', '\ufe0f', '\u{e0041}']) expect(shown).not.toContain(hidden);
  await store.decide(id, true, undefined);
  expect(await outcomeOf(admit(undefined, AbortSignal.abort()))).toBe('APPROVAL_REQUIRED');
  await admit(undefined);
  expect(await outcomeOf(admit({ approved: true }))).toBe('RATE_LIMITED');
});

test('the approval of a write is bound to the files as they are and as they become', async () => {
  const tool = 'end_codegen_session';
  const guard = open({ policy: { tools: { [tool]: { action: 'require_approval' } } }, overwrite: 'always' });
  const store = openApprovals({ directory: path.join(workspace(), '.codegen') });
  const write = async (body: string, onConflict: 'fail' | 'overwrite' = 'fail') => {
    const { confirm } = await guard.admit({ tool });
    return guard.write({ files: [{ file: 'a.spec.ts', content: emitted(body) }], onConflict, confirm });
  };
  const id = await requested(write('one\n'));
  const [approval] = await store.list();
  if (approval === undefined) throw new Error('Nothing is asked for.');
  expect(await store.subjectOf(approval)).toMatch(
    /^--- \/dev\/null\n\+\+\+ generated-tests\/a\.spec\.ts\n[^]*^\+one$/m,
  );
  await store.decide(id, true, undefined);
  expect(await requested(write('two\n'))).not.toBe(id);
  expect(await requested(write('one\n', 'overwrite'))).not.toBe(id);
  expect(await write('one\n')).toMatchObject([{ change: 'created' }]);
  // What would change nothing needs nobody.
  expect(await write('one\n')).toMatchObject([{ change: 'unchanged' }]);
  const replacing = await requested(write('two\n', 'overwrite'));
  const last = (await store.list()).find((each) => each.id === replacing);
  expect(last && (await store.subjectOf(last))).toMatch(/^-one\n[^]*^\+two$/m);
});

test('an approval is kept if its write is rejected', async () => {
  const tool = 'end_codegen_session';
  const policy = { tools: { [tool]: { action: 'require_approval' } } };
  const clock = manualClock();
  const limits = [{ counter: 'writes', window: 'minute', max: 1, scope: 'server' } as const];
  const guard = open({ policy, limits, clock });
  const store = openApprovals({ directory: path.join(workspace(), '.codegen'), clock });
  const write = async (file: string) => {
    const { confirm } = await guard.admit({ tool });
    return guard.write({ files: [{ file, content: emitted('') }], onConflict: 'fail', confirm });
  };
  for (const file of ['a.spec.ts', 'b.spec.ts'])
    await store.decide(await requested(write(file)), true, undefined);
  expect(await write('a.spec.ts')).toMatchObject([{ change: 'created' }]);
  expect(await outcomeOf(write('b.spec.ts'))).toBe('RATE_LIMITED');
  clock.advance(60_000);
  expect(await write('b.spec.ts')).toMatchObject([{ change: 'created' }]);
});

test('the command line lists and shows; only in a terminal it approves', async () => {
  const guard = open({ policy: requireApproval });
  const location = { workspace: workspace() };
  const id = await requested(guard.admit({ tool: 'run', args: { grep: 'checkout' } }));
  const run = async (verb: string, answer?: string, reason?: string) => {
    const lines: string[] = [];
    const terminal = answer === undefined ? undefined : { ask: () => Promise.resolve(answer) };
    await command(location, { command: verb, id, reason }, terminal, (line) => lines.push(line));
    return lines.join('\n');
  };
  expect(await run('list')).toContain(`${id}  open  run by local`);
  expect(await run('show')).toContain('"grep": "checkout"');
  await expect(run('approve')).rejects.toMatchObject({ message: 'Approval requires a terminal.' });
  expect(await run('approve', 'no')).toContain('Nothing was decided.');
  expect(await run('approve', 'yes')).toContain(`Approved ${id}`);
  await guard.admit({ tool: 'run', args: { grep: 'checkout' } });
  const other = await requested(guard.admit({ tool: 'run' }));
  await command(location, { command: 'decline', id: other, reason: 'Too slow.' }, undefined, () => undefined);
  await expect(guard.admit({ tool: 'run' })).rejects.toMatchObject({
    message: 'A person declined run: Too slow.',
  });
});
