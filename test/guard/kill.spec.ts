import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { listBackups } from '../../src/guard/backups.js';
import { withHeader } from '../../src/model/header.js';
import type { OnConflict } from '../../src/guard/plan.js';
import { configure, emitted, openGuard } from './workspace.js';
import { expect, test } from '../fixtures.js';

/** What a writer does that is killed at every call of it. */
interface Scenario {
  name: string;
  /** Bodies by file: what was there, what is written, and what is there afterwards, where that differs. */
  before: Record<string, string>;
  files: Record<string, string>;
  after?: Record<string, string>;
  onConflict: OnConflict;
  outcome: string;
  /** Files whose old content is in the backups in the end. */
  replaced?: string[];
  faults?: ('no links' | 'another disk')[];
  /** Whether a file of the state directory is written with them, in the place of an older one. */
  saves?: true;
  /** A file that somebody else saves before the first link is made. */
  intruder?: string;
}

const several = {
  before: { 'a.spec.ts': 'old a', 'b.spec.ts': 'old b' },
  files: { 'a.spec.ts': 'new a', 'pages/new/c.spec.ts': 'new c' },
  onConflict: 'overwrite',
} as const;

const scenarios: Scenario[] = [
  {
    name: 'creates files in new directories',
    before: {},
    files: { 'shop/cart/a.spec.ts': 'a', 'b.spec.ts': 'b' },
    onConflict: 'fail',
    outcome: 'created,created',
  },
  {
    name: 'replaces and creates several',
    ...several,
    outcome: 'replaced,created',
    replaced: ['a.spec.ts'],
    saves: true,
  },
  {
    name: 'takes the next free name',
    before: { 'a.spec.ts': 'old' },
    files: { 'a.spec.ts': 'new' },
    after: { 'a.spec.ts': 'old', 'a-2.spec.ts': 'new' },
    onConflict: 'rename',
    outcome: 'created',
  },
  {
    name: 'replaces and creates several, without hard links',
    ...several,
    outcome: 'replaced,created',
    replaced: ['a.spec.ts'],
    faults: ['no links'],
  },
  {
    name: 'replaces, with the backups on another disk',
    before: { 'a.spec.ts': 'old' },
    files: { 'a.spec.ts': 'new' },
    onConflict: 'overwrite',
    outcome: 'replaced',
    replaced: ['a.spec.ts'],
    faults: ['another disk'],
  },
  {
    name: 'gives up, since an editor was faster',
    ...several,
    files: { ...several.files, 'z.spec.ts': 'new z' },
    intruder: 'z.spec.ts',
    outcome: 'FILE_CHANGED',
  },
];

const limits = [{ counter: 'writes', window: 'hour', max: 10, scope: 'grant' }] as const;
const config = { limits: [...limits], budget: { maxFilesPerSession: 10 } };

const resultsSchema = z.array(
  z.object({ workspace: z.string(), killAt: z.number(), outcome: z.string().nullable() }),
);
type Run = z.infer<typeof resultsSchema>[number];

// A kill takes nothing from the system's own memory, so nothing is gained by waiting for the disk.
let files: object | null;
let sync: unknown;
test.beforeAll(async () => {
  const handle = await open(process.execPath);
  files = Reflect.getPrototypeOf(handle);
  sync = Reflect.get(handle, 'sync');
  await handle.close();
  Object.assign(files ?? {}, { sync: () => Promise.resolve() });
});
test.afterAll(() => {
  Object.assign(files ?? {}, { sync });
});

for (const scenario of scenarios)
  test(`a writer killed at every call: ${scenario.name}`, async () => {
    const runs = await killed(scenario, [await template(scenario)]);
    expect(runs[0]).toMatchObject({ killAt: 0, outcome: scenario.outcome });
    for (const run of runs) await checkSettled(scenario, run);
  });

test('a recovery killed at every call, of a writer that was killed', async () => {
  const [, scenario] = scenarios;
  if (scenario === undefined) throw new Error('There is no such scenario.');
  const runs = await killed(scenario, [await template(scenario)]);
  const left = runs.map(({ workspace }) => workspace).filter((_, index) => index % 7 === 6);
  for (const run of await killed({ ...scenario, files: {} }, left))
    await checkSettled(scenario, { ...run, outcome: null });
});

/** A workspace as it is before. */
async function template({ before, saves }: Scenario): Promise<string> {
  const workspace = test.info().outputPath('workspace');
  const guard = openGuard(workspace);
  for (const [file, body] of Object.entries(before))
    await guard.write({
      files: [{ file, content: emitted(body) }],
      onConflict: 'fail',
      ...(saves ? { beside: () => saved('old') } : {}),
    });
  return workspace;
}

/** What is saved with files. */
const saved = (text: string) => ({ names: ['sessions', 'one.json'], text });

/** Runs the writer in copies of each template, stopped once at every call; without files it only recovers. */
async function killed(scenario: Scenario, templates: string[]): Promise<Run[]> {
  const { files, onConflict, faults = [], intruder, saves } = scenario;
  for (const each of templates) releaseLock(each);
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/guard/killed-writer.js'], {
    // What stopped runs still say is of no interest.
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const list = Object.entries(files).map(([file, body]) => ({ file, body }));
  child.stdin.end(
    JSON.stringify({
      templates,
      into: test.info().outputPath(templates.length > 1 ? 'recoveries' : 'runs'),
      config: configure(config),
      ...(list.length > 0 ? { files: list } : {}),
      onConflict,
      faults,
      ...(saves ? { beside: saved('new') } : {}),
      intruder: intruder && path.join('generated-tests', intruder),
    }),
  );
  const exit = once(child, 'exit');
  const output = await text(child.stdout);
  await exit;
  expect(child.signalCode).toBe('SIGKILL');
  const runs = resultsSchema.parse(JSON.parse(output));
  const kills = runs.filter(({ killAt }) => killAt > 0).length;
  test.info().annotations.push({ type: 'kills', description: String(kills) });
  return runs;
}

/** After recovery all is as before or as after, quota and backups fit, and nothing is left over. */
async function checkSettled(scenario: Scenario, { workspace, killAt, outcome }: Run): Promise<void> {
  const { before, files, after = { ...before, ...files }, replaced = [], intruder, saves } = scenario;
  const where = `killed at call ${killAt}`;
  releaseLock(workspace);
  const guard = openGuard(workspace, config);
  await guard.recover();

  const found = contents(path.join(workspace, 'generated-tests'));
  if (intruder !== undefined) {
    expect([undefined, 'saved by an editor'], where).toContain(found.get(intruder));
    found.delete(intruder);
  }
  const [old, fresh] = [before, after].map(emittedFiles);
  const isWritten = intruder === undefined && isDeepStrictEqual(found, fresh);
  expect(found, where).toEqual(isWritten ? fresh : old);
  if (outcome === scenario.outcome && intruder === undefined) expect(isWritten, where).toBe(true);

  const changes = isWritten ? Object.keys(files).length : 0;
  expect((await guard.left('end')).remaining, where).toEqual({ writes: 10 - changes });
  const state = path.join(workspace, '.codegen');
  const kept = contents(path.join(state, 'sessions'));
  expect([...kept], where).toEqual(saves ? [['one.json', isWritten ? 'new' : 'old']] : []);
  const backups = await listBackups(state);
  const oldFiles = backups.map((each) => [each.path, readFileSync(each.absolutePath, 'utf8')]);
  const expected = replaced.map((file) => [`generated-tests/${file}`, old?.get(file)]);
  expect(oldFiles.sort(), where).toEqual(isWritten ? expected : []);
  expect(contents(path.join(state, 'backups')).size, where).toBe(backups.length);
  expect(contents(path.join(state, 'journal')).size, where).toBe(0);
}

function emittedFiles(bodies: Record<string, string>): Map<string, string> {
  return new Map(
    Object.entries(bodies).map(([file, body]) => [file, withHeader(`generated-tests/${file}`, body)]),
  );
}

/** Every file below a directory, by its path there. */
function contents(directory: string): Map<string, string> {
  const found = existsSync(directory)
    ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
    : [];
  return new Map(
    found
      .map((each) => path.join(each.parentPath, each.name))
      .map((file) => [path.relative(directory, file), readFileSync(file, 'utf8')]),
  );
}

/** What killed processes held looks alive for two seconds more; another test waits for that. */
function releaseLock(workspace: string): void {
  rmSync(path.join(workspace, '.codegen', 'state.lock'), { recursive: true, force: true });
}
