import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { connect, descendants, type Connection } from '../test/fixtures.js';
import { startPages } from '../test/fixtures/pages-server.js';

/** Measures a server with many sessions: whether each emits its own test, and how memory grows. */
const { values } = parseArgs({
  options: {
    /** Sessions open at the same time. */
    open: { type: 'string', default: '50' },
    /** Sessions opened and closed afterwards. */
    turnover: { type: 'string', default: '500' },
    /** Concurrent calls. */
    lanes: { type: 'string', default: '5' },
  },
});
const [open, turnover, lanes] = [values.open, values.turnover, values.lanes].map(Number);
const workspace = path.join('bench-results', 'sessions');
/** Milliseconds without calls before memory is read. */
const restMs = 5000;

await rm(workspace, { recursive: true, force: true });
await mkdir(workspace, { recursive: true });
const config = {
  autoAssert: true,
  verify: { mode: 'off' },
  writes: { limits: [] },
  browser: { maxSessions: (open ?? 0) + 1, actionTimeoutMs: 60_000, navigationTimeoutMs: 60_000 },
};
await writeFile(path.join(workspace, 'codegen.config.json'), JSON.stringify(config));
const pages = await startPages();
const server = await connect(path.resolve(workspace));

/** Opens a session and records a flow that contains its name. */
async function record(name: string): Promise<string> {
  const { sessionId, error } = await server.start({ title: name, url: `${pages.url}/todo.html` });
  if (error !== undefined) throw new Error(`${name}: ${error.message}`);
  const recorded = await server.record(
    sessionId,
    { action: 'fill', target: 'getByPlaceholder("What needs to be done?")', value: name },
    { action: 'press', key: 'Enter' },
    { action: 'expect', target: `getByText("${name}", { exact: true })`, matcher: 'toBeVisible' },
  );
  if (recorded.error !== undefined) throw new Error(`${name}: ${recorded.error.message}`);
  return sessionId;
}

/** Runs a task for each index, some concurrently. */
async function each(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes ?? 1 }, async () => {
      for (let index = next++; index < count; index = next++) await work(index);
    }),
  );
}

/** Megabytes of memory of a process, from /proc. */
async function megabytes(pid: number, file: string, field: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
}

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, restMs));
const serverMemory = (): Promise<number> => megabytes(server.pid, 'status', 'VmRSS');
/** Proportional memory of the browser's processes. */
async function browserMemory({ pid }: Connection): Promise<number> {
  const processes = await descendants(pid);
  const each = await Promise.all(processes.map((child) => megabytes(child.pid, 'smaps_rollup', 'Pss')));
  return each.reduce((sum, one) => sum + one, 0);
}

const began = performance.now();
const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(0)} s`;
const clear = async (sessionId: string): Promise<void> => {
  await server.call('clear_codegen_session', { sessionId });
};

await clear(await record('warms up'));
await rest();
const [before, browserBefore] = [await serverMemory(), await browserMemory(server)];
console.log(`server ${before.toFixed(0)} MB, browser ${browserBefore.toFixed(0)} MB, no session open`);

const ids: string[] = [];
const nameOf = (index: number): string => `session number ${index} of many`;
await each(open ?? 0, async (index) => {
  ids[index] = await record(nameOf(index));
});
await rest();
const [full, browserFull] = [await serverMemory(), await browserMemory(server)];
console.log(
  `${open} sessions open after ${seconds()}: server ${full.toFixed(0)} MB, browser ${browserFull.toFixed(0)} MB;`,
  `${((full - before) / (open ?? 1)).toFixed(1)} MB of the server for each,`,
  `${((browserFull - browserBefore) / (open ?? 1)).toFixed(1)} MB of the browser`,
);

let wrong = 0;
await each(open ?? 0, async (index) => {
  const { testCode, filePath, error } = await server.call('end_codegen_session', {
    sessionId: ids[index] ?? '',
  });
  const others = (testCode.match(/session number \d+/g) ?? []).filter(
    (name) => name !== `session number ${index}`,
  );
  const isWritten = error === undefined && (await readFile(filePath, 'utf8')) === testCode;
  const isWhole = testCode.includes(`.fill(${JSON.stringify(nameOf(index))})`) && testCode.includes('press(');
  if (!isWritten || !isWhole || others.length > 0) {
    wrong++;
    console.log(`session ${index} is wrong: ${error?.message ?? testCode}`);
  }
});
console.log(`${(open ?? 0) - wrong} of ${open} sessions emitted their own test, after ${seconds()}`);

const batch = 50;
const memory: number[] = [];
for (let done = 0; done < (turnover ?? 0); done += batch) {
  await each(batch, async (index) => clear(await record(`turnover ${done + index}`)));
  await rest();
  memory.push(await serverMemory());
  console.log(
    `${done + batch} opened and closed after ${seconds()}: server ${memory.at(-1)?.toFixed(0)} MB, browser ${(await browserMemory(server)).toFixed(0)} MB`,
  );
}
await server.close();
await pages.close();
process.exitCode = wrong === 0 ? 0 : 1;
