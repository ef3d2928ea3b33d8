/**
 * Compares servers over the same flows, in one run, and writes `docs/comparison.md`. With `--runautomation FILE`, a package
 * made from the repository of RunAutomation MCP Server (`npm ci`, `npm run build`, `npm pack`), which npm does not have.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { transform } from 'esbuild';
import { z } from 'zod';
import { findBrowser } from '../src/browser/find-browser.js';
import { connect } from '../test/fixtures.js';
import { startPages } from '../test/fixtures/pages-server.js';
import { serve, type Site } from '../test/fixtures/serve.js';
import { runOurs, runPlaywrightMcp, type Run } from './drivers.js';
import { executeAutomation, runToolsServer } from './executeautomation.js';
import { flows as all, todoFlow, type Flow } from './flow-list.js';

type Server = (flow: Flow, url: string) => Promise<Run>;

const { values } = parseArgs({ options: { runautomation: { type: 'string' } } });
const runAutomation = 'runautomation-mcpserver';
const runAutomationFile = values.runautomation && path.resolve(values.runautomation);

const servers: Record<string, Server> = {
  'codegen-session-mcp': (flow, url) =>
    runOurs(flow, url, { autoAssert: true, counts: false, verify: 'require' }),
  'Playwright MCP': (flow, url) => runPlaywrightMcp(flow, url, false),
  executeautomation: (flow, url) => runToolsServer(executeAutomation, flow, url),
  ...(runAutomationFile && {
    [runAutomation]: (flow: Flow, url: string) =>
      runToolsServer({ name: runAutomation, spec: runAutomationFile }, flow, url),
  }),
};
const flows = [todoFlow, ...all.filter(({ name }) => name === 'Swagger UI')];
const folder = path.resolve('bench-results', 'compare');
const { executablePath = '' } = (await findBrowser()) ?? {};

/** Changes of the application that a test of the flow should notice. */
const breakages: [before: string, after: string][] = [
  ['todos.push(', 'void ('],
  ['todo.completed = toggle.checked;', ''],
  ['todos.filter((other) => other !== todo)', 'todos'],
  ['left === 1', 'left === 2'],
  ["filter !== (completed ? 'active' : 'completed')", 'true'],
  ["'#clear').addEventListener('click'", "'#clear').addEventListener('none'"],
  ["if (event.key === 'Enter') todo.title = input.value;", ''],
];

const hostile = [
  "It's",
  '"quoted"',
  'back\\slash',
  '`${process.exit(1)}`',
  "'); process.exit(1); ('",
  'line\u2028separator',
  '*/ end of a comment',
  '</script>',
  "\\'",
  '\ud83d\ude00 \u202e',
];
const hostileFlow: Flow = {
  ...todoFlow,
  name: 'hostile strings',
  turns: hostile.map((value) => () => [{ action: 'fill', target: "getByRole('textbox')", value }]),
};

const reportSchema = z.looseObject({ stats: z.looseObject({ expected: z.number() }) });

const packageSchema = z.looseObject({ version: z.string() });

/** The cells of the tables, by server. */
const rows = new Map<string, Map<string, string>>();
const note = (server: string, column: string, value: string): void => {
  const row = rows.get(server) ?? new Map<string, string>();
  rows.set(server, row.set(column, value));
  console.log(`${server}, ${column}: ${value}`);
};

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const { version } = packageSchema.parse(
  JSON.parse(await readFile('node_modules/@playwright/mcp/package.json', 'utf8')),
);
// What takes longest comes last: a run that is stopped leaves what it has measured.
const tests: { server: string; flow: Flow; url: string; spec: string }[] = [];
for (const flow of flows)
  for (const [server, run] of Object.entries(servers)) await perform(server, run, flow);
for (const [server, run] of Object.entries(servers)) await measureHostile(server, run);
note('codegen-session-mcp', 'destroyed', (await destroys()) ? '1 of 1' : '0 of 1');
note('Playwright MCP', 'destroyed', 'writes no test');
note('executeautomation', 'destroyed', 'its file names are random');
if (runAutomationFile !== undefined) note(runAutomation, 'destroyed', 'its file names are random');
await write();
for (const { server, flow, spec, url } of tests) {
  const site = await flow.start();
  const passed = await passes(spec.replaceAll(url, site.url), site, 10);
  await site.close();
  note(server, `${flow.name} passed`, `${passed} of 10`);
  await write();
}
for (const { server, flow, spec, url } of tests) {
  if (flow !== todoFlow) continue;
  let noticed = 0;
  for (const breakage of breakages) {
    const broken = await breakPage(breakage);
    if ((await passes(spec.replaceAll(url, broken.url), broken, 1)) === 0) noticed++;
    await broken.close();
  }
  const isBroken = rows.get(server)?.get(`${flow.name} passed`) !== '10 of 10';
  note(server, 'noticed', isBroken ? 'the test always fails' : `${noticed} of ${breakages.length}`);
  await write();
}

async function perform(server: string, run: Server, flow: Flow): Promise<void> {
  const site = await flow.start();
  try {
    const { spec, calls, bytes, ms } = await run(flow, site.url);
    tests.push({ server, flow, spec, url: site.url });
    for (const [column, value] of Object.entries({ calls, bytes, ms: Math.round(ms) }))
      note(server, `${flow.name} ${column}`, String(value));
  } catch (error) {
    note(server, `${flow.name} calls`, reason(error));
  } finally {
    await site.close();
  }
  await write();
}

async function measureHostile(server: string, run: Server): Promise<void> {
  const site = await startPages();
  try {
    const { statements } = await run(hostileFlow, site.url);
    const filled = statements.filter((each) => !each.includes('.goto('));
    note(server, 'hostile', `${await syntaxErrors(filled)} of ${filled.length}`);
  } catch (error) {
    note(server, 'hostile', reason(error));
  } finally {
    await site.close();
  }
  await write();
}

/** How many of some runs of a test pass, one after the other on one application. */
async function passes(spec: string, { url }: Site, times: number): Promise<number> {
  await writeFile(path.join(folder, 'flow.spec.ts'), spec);
  const config = { testDir: '.', timeout: 10_000, use: { baseURL: url, launchOptions: { executablePath } } };
  const file = path.join(folder, 'playwright.config.json.mjs');
  await writeFile(file, `export default ${JSON.stringify(config)};\n`);
  const cli = path.resolve('node_modules/@playwright/test/cli.js');
  const args = [cli, 'test', `--config=${file}`, `--repeat-each=${times}`, '--workers=1', '--reporter=json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 28 }).catch(
    (error: unknown) => z.looseObject({ stdout: z.string() }).parse(error),
  );
  return reportSchema.catch({ stats: { expected: 0 } }).parse(JSON.parse(stdout)).stats.expected;
}

/** The page of the flow with one change of its source. */
async function breakPage([before, after]: (typeof breakages)[number]): Promise<Site> {
  const source = await readFile('test/fixtures/pages/todo.html', 'utf8');
  if (!source.includes(before)) throw new Error(`The page does not contain ${before}`);
  return serve((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(source.replace(before, after));
    return Promise.resolve();
  }, 0);
}

async function syntaxErrors(statements: readonly string[]): Promise<number> {
  const results = await Promise.all(
    statements.map((each) =>
      transform(`async (page) => {\n${each.replace(/\}\);\s*$/, '')}\n}`, {
        loader: 'ts',
        logLevel: 'silent',
      }).then(
        () => 0,
        () => 1,
      ),
    ),
  );
  return results.reduce<number>((sum, each) => sum + each, 0);
}

/** Whether the user's own file is gone after a session that wants to overwrite it. */
async function destroys(): Promise<boolean> {
  const workspace = path.join(folder, 'workspace');
  const file = path.join(workspace, 'generated-tests', 'mine.spec.ts');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '// mine\n');
  await writeFile(path.join(workspace, 'codegen.config.json'), '{ "verify": { "mode": "off" } }');
  const [site, server] = await Promise.all([startPages(), connect(workspace)]);
  const { sessionId } = await server.start({ url: `${site.url}/landing.html` });
  await server.call('end_codegen_session', { sessionId, file: 'mine.spec.ts', onConflict: 'overwrite' });
  await Promise.all([site.close(), server.close()]);
  return (await readFile(file, 'utf8').catch(() => '')) !== '// mine\n';
}

function reason(error: unknown): string {
  const [line = ''] = String(error).split('\n');
  return `failed: ${line.replaceAll('|', '/').slice(0, 80)}`;
}

async function write(): Promise<void> {
  const names = [...new Set([...Object.keys(servers), runAutomation])];
  const table = (columns: Record<string, string>): string =>
    [
      `| server | ${Object.keys(columns).join(' | ')} |`,
      `| --- |${' --- |'.repeat(Object.keys(columns).length)}`,
      ...names.map((server) => {
        const cells = Object.values(columns).map((column) => rows.get(server)?.get(column) ?? 'not run');
        return `| ${server} | ${cells.join(' | ')} |`;
      }),
    ].join('\n');
  const perFlow = flows.map(({ name }) => {
    const columns = { calls: 'calls', 'bytes to read': 'bytes', ms: 'ms', 'runs that pass': 'passed' };
    return `### ${name}\n\n${table(Object.fromEntries(Object.entries(columns).map(([title, column]) => [title, `${name} ${column}`])))}`;
  });
  const text = `${introduction()}\n## Flows\n\n${perFlow.join('\n\n')}\n\n## What the tests are worth\n\n${table(
    {
      'broken applications noticed': 'noticed',
      'files of the user destroyed': 'destroyed',
      'syntax errors on hostile strings': 'hostile',
    },
  )}\n`;
  await writeFile('docs/comparison.md', text);
}

function introduction(): string {
  return `# Comparison

Made by \`npm run bench:compare\` in one run on ${new Date().toISOString().slice(0, 10)}, Node.js ${process.versions.node}, ${process.platform}. Each flow is performed once with each server, on an application that no other run has changed.

- \`codegen-session-mcp\`: with automatic assertions and verification, which runs the test before it is written and is part of the time.
- Playwright MCP ${version}: writes no test; the test is put together from the code of its results, without assertions. Its agent reads one snapshot in each turn.
- \`${executeAutomation.spec}\`: its agent reads the page's HTML in each turn. Keys, drags and double clicks are not in the tests that it writes.
- \`${runAutomation}\`: has the same tools. npm does not have it, so ${runAutomationFile === undefined ? 'it was not run' : 'a package was made from its repository'}.

"Runs that pass" counts ten runs, one after the other on one application, each within 10 seconds. "Broken applications noticed" counts the changes of the source of TodoMVC with which the test fails. "not run" means that nothing was measured.
`;
}
