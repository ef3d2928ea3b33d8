import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { findBrowser } from '../src/browser/find-browser.js';
import { playFlow, refIn, type FlowAction } from '../test/demo-flow.js';
import { binary, connect, resultOf, type Result } from '../test/fixtures.js';
import type { Flow } from './flow-list.js';

/** What one run of a flow took. */
export interface Run {
  ms: number;
  calls: number;
  /** Bytes that an agent reads. */
  bytes: number;
  /** Protocol messages to the browser, by action for plain Playwright and by call for servers; empty unless counted. */
  messages: number[];
  /** The emitted statements, one for each recorded action. */
  statements: string[];
  /** The emitted test; empty if none is written. */
  spec: string;
}

export const emptyRun = (): Run => ({ ms: 0, calls: 0, bytes: 0, messages: [], statements: [], spec: '' });

const debug = (counts: boolean): Record<string, string> => (counts ? { DEBUG: 'pw:protocol' } : {});
const sent = (log: string): number => log.split('SEND ►').length - 1;

/** Runs the statements of a flow with plain Playwright. */
export async function runPlain(
  baseURL: string,
  statements: readonly string[],
  counts: boolean,
): Promise<Run> {
  const script = fileURLToPath(new URL('plain.ts', import.meta.url));
  const args = ['--import', 'tsx', script, JSON.stringify({ baseURL, statements })];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...debug(counts) },
    maxBuffer: 2 ** 30,
  });
  const messages = counts ? stderr.split('\nstatement\n').slice(1, -1).map(sent) : [];
  return { ...emptyRun(), ms: Number(stdout), messages };
}

/** Records a flow with this server. */
export async function runOurs(
  { path: start, turns }: Flow,
  baseURL: string,
  {
    autoAssert,
    counts,
    verify = 'off',
  }: { autoAssert: boolean; counts: boolean; verify?: 'off' | 'require' },
): Promise<Run> {
  const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-bench-'));
  // `npm run bench:tests` measures verification.
  await writeFile(
    path.join(workspace, 'codegen.config.json'),
    JSON.stringify({ autoAssert, verify: { mode: verify } }),
  );
  const connection = await connect(workspace, { env: debug(counts) });
  const { call, stderr, close } = connection;
  let read = 0;
  /** The messages since the last call; another call comes first, since the log arrives after its result. */
  const count = async (): Promise<number> => {
    if (counts) await call('get_codegen_session');
    const log = stderr().slice(read);
    read += log.length;
    return sent(log);
  };
  try {
    const { sessionId } = await connection.start();
    await call('clear_codegen_session', { sessionId });
    await count();
    const run = emptyRun();
    const options = { turns, path: start, recordAll: true };
    for await (const { tool, result, ms } of playFlow(connection, baseURL, options)) {
      run.ms += ms;
      run.calls++;
      run.bytes += Buffer.byteLength(result.text);
      if (tool === 'end_codegen_session') run.spec = await readFile(result.filePath, 'utf8');
      run.statements.push(
        ...(tool === 'start_codegen_session' ? [`await page.goto('${start}');`] : result.codes),
      );
      if (counts) run.messages.push(await count());
    }
    return run;
  } finally {
    await close();
    await rm(workspace, { recursive: true, force: true });
  }
}

/** Records a flow with commands. Each starts a process; the agent reads the JSON that it prints. */
export async function runShell({ path: start, turns }: Flow, baseURL: string): Promise<Run> {
  const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-bench-'));
  await writeFile(path.join(workspace, 'codegen.config.json'), '{ "verify": { "mode": "off" } }');
  const shell = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [binary, 'session', ...args], { cwd: workspace })).stdout;
  const call = async (tool: string, args: Record<string, unknown> = {}): Promise<Result> => {
    const file = path.join(workspace, 'arguments.json');
    await writeFile(file, JSON.stringify(args));
    const [verb = ''] = tool.split('_');
    const text = await shell(verb, file);
    return resultOf(JSON.parse(text), text);
  };
  try {
    const { sessionId } = await call('start_codegen_session');
    await call('clear_codegen_session', { sessionId });
    const run = emptyRun();
    for await (const { result, ms } of playFlow({ call }, baseURL, { turns, path: start, recordAll: true })) {
      run.ms += ms;
      run.bytes += Buffer.byteLength(result.text);
    }
    return run;
  } finally {
    await shell('stop');
    await rm(workspace, { recursive: true, force: true });
  }
}

const resultSchema = z.object({
  content: z.array(z.object({ text: z.string() })),
  isError: z.boolean().optional(),
});

/** The code that Playwright MCP says it has run. */
const ranCode = /### Ran Playwright code\n```js\n([^]*?)\n```/g;

/** How often an agent looks again for an element that it expects. */
const maxLooks = 5;

/** Where a result says that its snapshot is. */
const snapshotLink = /\[Snapshot\]\((.*)\)/;

/** Milliseconds in which a call of a tool of Playwright's is repeated. */
const patienceMs = 5000;

/** Performs a flow with Playwright MCP, whose agent reads one snapshot in each turn. Assertions are left out. */
export async function runPlaywrightMcp(
  { path: start, turns }: Flow,
  baseURL: string,
  counts: boolean,
): Promise<Run> {
  const found = await findBrowser();
  if (found === undefined) throw new Error('No browser: run `npm run browser`.');
  const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-bench-'));
  const cli = path.join(
    path.dirname(createRequire(import.meta.url).resolve('@playwright/mcp/package.json')),
    'cli.js',
  );
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cli, '--headless', '--isolated', '--no-sandbox', '--executable-path', found.executablePath],
    cwd: workspace,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...debug(counts) },
    stderr: 'pipe',
  });
  let log = '';
  transport.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const client = new Client({ name: 'bench', version: '1' });
  const call = async (name: string, args: Record<string, unknown>): Promise<string> => {
    const { content, isError } = resultSchema.parse(await client.callTool({ name, arguments: args }));
    const text = content.map((part) => part.text).join('\n');
    if (isError === true) throw new Error(`${name} failed:\n${text}`);
    return text;
  };
  try {
    await client.connect(transport);
    await call('browser_navigate', { url: 'about:blank' });
    await call('browser_tabs', { action: 'list' });
    let read = log.length;
    return await playTurns<ToolCall>([['browser_navigate', { url: `${baseURL}${start}` }]], turns, {
      workspace,
      call: ([tool, args]) => call(tool, args),
      callsOf: toolCall,
      look: ['browser_snapshot', {}],
      count: async () => {
        if (!counts) return undefined;
        await call('browser_tabs', { action: 'list' });
        const messages = sent(log.slice(read));
        read = log.length;
        return messages;
      },
    });
  } finally {
    await client.close();
    await rm(workspace, { recursive: true, force: true });
  }
}

/** How an agent uses a tool of Playwright's. */
export interface Play<Call> {
  workspace: string;
  call: (call: Call) => Promise<string>;
  /** None for an assertion. */
  callsOf: (action: FlowAction) => Call[];
  /** Makes a snapshot, if the last call of a turn made none or its snapshot came too early. */
  look: Call;
  /** The messages since it was called last. */
  count?: () => Promise<number | undefined>;
}

/** Performs turns; the agent reads one snapshot in each. It puts the test together from the code of each result. */
export async function playTurns<Call>(
  first: readonly Call[],
  turns: Flow['turns'],
  { workspace, call, callsOf, look, count }: Play<Call>,
): Promise<Run> {
  const run = emptyRun();
  const seen: string[] = [];
  const perform = async (each: Call): Promise<string> => {
    const before = performance.now();
    // It fails at once if an element has not come yet.
    for (;;) {
      const result = await call(each).catch((error: unknown) => error);
      if (typeof result !== 'string') {
        if (performance.now() - before > patienceMs) throw result;
        continue;
      }
      run.ms += performance.now() - before;
      run.calls++;
      run.bytes += Buffer.byteLength(result);
      run.statements.push(...[...result.matchAll(ranCode)].map(([, code = '']) => code));
      return result;
    }
  };
  const turn = async (calls: readonly Call[]): Promise<void> => {
    let last = '';
    for (const each of calls) last = await perform(each);
    if (!last.includes('### Snapshot')) last = await perform(look);
    const [, file] = snapshotLink.exec(last) ?? [];
    const snapshot = file === undefined ? '' : await readFile(path.resolve(workspace, file), 'utf8');
    run.bytes += Buffer.byteLength(snapshot);
    // Our snapshots, for which the flows are written, have no glyphs of icon fonts.
    seen.unshift((snapshot || last).replace(/[\ue000-\uf8ff]\s*/g, ''));
    const messages = await count?.();
    if (messages !== undefined) run.messages.push(messages);
  };
  await turn(first);
  for (const actionsOf of turns) {
    const find = (): FlowAction[] => [...actionsOf((...parts) => refIn(seen, parts))];
    let actions = attempt(find);
    for (let looks = 0; actions === undefined && looks < maxLooks; looks++) {
      await turn([look]);
      actions = attempt(find);
    }
    await turn((actions ?? find()).flatMap(callsOf));
  }
  run.spec = testOf(run.statements);
  return run;
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function testOf(statements: readonly string[]): string {
  const body = statements.map((statement) => `  ${statement}`).join('\n');
  return `import { test } from '@playwright/test';\n\ntest('flow', async ({ page }) => {\n${body}\n});\n`;
}

type ToolCall = [tool: string, args: Record<string, unknown>];

/** The call of Playwright MCP for an action; none for an assertion. */
function toolCall({ action, target, to, ...fields }: FlowAction): ToolCall[] {
  const element = { element: action, target };
  switch (action) {
    case 'click':
    case 'check':
      return [['browser_click', element]];
    case 'dblclick':
      return [['browser_click', { ...element, doubleClick: true }]];
    case 'fill':
      return [['browser_type', { ...element, text: fields['value'] }]];
    case 'press':
      return [['browser_press_key', { key: fields['key'] }]];
    case 'selectOption':
      return [['browser_select_option', { ...element, values: [fields['values']] }]];
    case 'dragTo':
      return [
        [
          'browser_drag',
          { startElement: 'source', startTarget: target, endElement: 'destination', endTarget: to },
        ],
      ];
    case 'expect':
    case 'waitFor':
    case 'step':
      return [];
    default:
      throw new Error(`Playwright MCP has no tool for ${action}.`);
  }
}
