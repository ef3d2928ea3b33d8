import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compileFunction } from 'node:vm';
import { expect } from '@playwright/test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ListToolsResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { chromium, type Browser } from 'playwright';
import { findBrowser, launchOptions } from '../src/browser/find-browser.js';
import { playFlow } from '../test/demo-flow.js';
import { binary, connect, refOf, type Connection } from '../test/fixtures.js';
import { startPetstore } from '../test/fixtures/petstore.js';
import { serve } from '../test/fixtures/serve.js';
import { serve as serveHttp } from '../test/server/http/serving.js';
import { inputToPicture, Viewer } from './page.js';

/** One line of the table. */
interface Figure {
  what: string;
  ours: string;
  plain?: string;
  ratio?: string;
  budget?: string;
  verdict?: 'ok' | 'over';
}

/** Does something once and returns the milliseconds it took. */
type Way = () => Promise<number>;

const bareServer = fileURLToPath(new URL('bare-server.js', import.meta.url));

const { values: given } = parseArgs({ options: { only: { type: 'string' } } });
const found = await findBrowser();
if (found === undefined) throw new Error('No browser: run `npm run browser`.');
const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-bench-'));
const browser = await chromium.launch(launchOptions(found));
// `npm run bench:tests` measures verification.
await writeFile(path.join(workspace, 'codegen.config.json'), '{ "verify": { "mode": "off" } }');
const connection = await connect(workspace);
const measures: Record<string, () => Promise<Figure[]>> = {
  start: () => measureStart(workspace),
  tools: () => measureToolList(connection),
  action: () => measureAction(connection, browser),
  flow: () => measureFlow(connection, browser),
  watching: () => measureWatching(workspace),
};
try {
  const { only = Object.keys(measures).join() } = given;
  const figures: Figure[] = [];
  for (const name of only.split(',')) {
    const measure = measures[name];
    if (measure === undefined) throw new Error(`--only takes ${Object.keys(measures).join()}, not ${name}.`);
    figures.push(...(await measure()));
  }
  printTable(figures);
  process.exitCode = figures.some(({ verdict }) => verdict === 'over') ? 1 : 0;
} finally {
  await connection.close();
  await browser.close();
  await rm(workspace, { recursive: true, force: true });
}

/** From the process's start to the answer to `tools/list`. */
async function measureStart(cwd: string): Promise<Figure[]> {
  const start =
    (script: string): Way =>
    async () => {
      const transport = new StdioClientTransport({ command: process.execPath, args: [script], cwd });
      const client = new Client({ name: 'bench', version: '1' });
      const before = performance.now();
      await client.connect(transport);
      // `listTools` would also compile the schemas in the client.
      await client.request({ method: 'tools/list' }, ListToolsResultSchema);
      const ms = performance.now() - before;
      await client.close();
      return ms;
    };
  return [await compare('start to tools/list', 1.2, 21, start(binary), start(bareServer))];
}

async function measureToolList({ client }: Connection): Promise<Figure[]> {
  const budget = 9000;
  const bytes = Buffer.byteLength(JSON.stringify((await client.listTools()).tools));
  return [
    {
      what: 'tools/list as JSON',
      ours: `${bytes} bytes`,
      budget: `${budget} bytes`,
      verdict: bytes > budget ? 'over' : 'ok',
    },
  ];
}

/** A click on a page that does not change, compared with that click plus one `normalize()` and one snapshot. */
async function measureAction({ start, record, call }: Connection, plain: Browser): Promise<Figure[]> {
  const site = await serve((_, response) => {
    response
      .setHeader('content-type', 'text/html')
      .end('<title>Still</title><h1>Still</h1><button>Save</button>');
    return Promise.resolve();
  }, 0);
  const page = await plain.newPage();
  try {
    await page.goto(site.url);
    const button = page.getByRole('button', { name: 'Save' });
    const { sessionId, snapshot } = await start({ url: site.url });
    const target = refOf(snapshot, 'button "Save"');
    const figure = await compare(
      'click on a still page',
      1.5,
      40,
      timed(async () => {
        const { isError, text } = await record(sessionId, { action: 'click', target });
        if (isError) throw new Error(text);
      }),
      timed(async () => {
        await button.normalize();
        await button.click();
        await page.ariaSnapshot({ mode: 'ai' });
      }),
    );
    await call('clear_codegen_session', { sessionId });
    return [figure];
  } finally {
    await page.close();
    await site.close();
  }
}

/** The demo flow, compared with the emitted statements run directly. */
async function measureFlow(connection: Connection, plain: Browser): Promise<Figure[]> {
  const petstore = await startPetstore();
  let bytes = 0;
  let statements = '';
  const record = timed(async () => {
    const codes: string[] = ["await page.goto('/');"];
    bytes = 0;
    for await (const { result } of playFlow(connection, petstore.url, { recordAll: true })) {
      bytes += Buffer.byteLength(result.text);
      codes.push(...result.codes.flatMap((code, index) => [code, ...(result.assertions[index] ?? [])]));
    }
    statements = codes.join('\n');
  });
  const replay = timed(async () => {
    const page = await plain.newPage({ baseURL: petstore.url });
    const body = `return (async () => {\n${statements}\n})();`;
    await Reflect.apply(compileFunction(body, ['page', 'expect']), undefined, [page, expect]);
    await page.close();
  });
  try {
    const figure = await compare("the demo's flow", 2, 5, record, replay);
    return [figure, { what: "the demo's flow, for the agent to read", ours: `${bytes} bytes` }];
  } finally {
    await petstore.close();
  }
}

/** How soon a person sees what they did in the web UI, and the demo flow while one watches, compared with alone. */
async function measureWatching(cwd: string): Promise<Figure[]> {
  const budget = 150;
  const [petstore, serving] = await Promise.all([startPetstore(), serveHttp(cwd)]);
  const agent = await serving.connect();
  const viewer = await Viewer.come(serving);
  const flow = (isWatched: boolean): Way =>
    timed(async () => {
      let leave: (() => void) | undefined;
      const call: Connection['call'] = async (tool, args, heard) => {
        const result = await agent.call(tool, args, heard);
        if (isWatched && tool === 'start_codegen_session')
          leave = await viewer.watch(result.sessionId, () => undefined);
        return result;
      };
      for await (const { result } of playFlow({ call }, petstore.url, { recordAll: true }))
        if (result.isError) throw new Error(result.text);
      leave?.();
    });
  try {
    const latency = median(await inputToPicture(viewer, agent, 30));
    return [
      {
        what: 'a key by hand, until it is in the picture',
        ours: `${latency.toFixed(0)} ms`,
        budget: `${budget} ms`,
        verdict: latency > budget ? 'over' : 'ok',
      },
      await compare("the demo's flow while somebody watches", 1.1, 5, flow(true), flow(false)),
    ];
  } finally {
    await agent.close();
    await Promise.all([serving.stop(), petstore.close()]);
  }
}

function timed(work: () => Promise<void>): Way {
  return async () => {
    const before = performance.now();
    await work();
    return performance.now() - before;
  };
}

/**
 * Measures two ways alternately, after a warm-up round, and returns the median ratio of neighboring measurements, so
 * that other load on the machine affects both equally.
 */
async function compare(what: string, budget: number, rounds: number, ours: Way, plain: Way): Promise<Figure> {
  const pairs: { ours: number; plain: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const plainFirst = round % 2 === 1 ? await plain() : undefined;
    const oursMs = await ours();
    if (round > 0) pairs.push({ ours: oursMs, plain: plainFirst ?? (await plain()) });
  }
  const ratio = median(pairs.map((pair) => pair.ours / pair.plain));
  return {
    what,
    ours: `${median(pairs.map((pair) => pair.ours)).toFixed(0)} ms`,
    plain: `${median(pairs.map((pair) => pair.plain)).toFixed(0)} ms`,
    ratio: `${ratio.toFixed(2)}x`,
    budget: `${budget}x`,
    verdict: ratio > budget ? 'over' : 'ok',
  };
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function printTable(figures: Figure[]): void {
  const print = (what: string, ...columns: string[]): void => {
    console.log(what.padEnd(40) + columns.map((column) => column.padStart(13)).join(''));
  };
  print('', 'ours', 'plain', 'ratio', 'budget', '');
  for (const { what, ours, plain = '', ratio = '', budget = '', verdict = '' } of figures)
    print(what, ours, plain, ratio, budget, verdict);
}
