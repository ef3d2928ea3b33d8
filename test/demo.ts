import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { playFlow, type Exchange } from './demo-flow.js';
import { connect } from './fixtures.js';
import { startPetstore } from './fixtures/petstore.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const port = 8642;
const baseURL = `http://127.0.0.1:${port}`;

try {
  process.exitCode = await demo();
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

/** Records a flow on the petstore through the real server, runs the emitted test, and returns the exit status. */
async function demo(): Promise<number> {
  const stopPetstore = await servePetstore();
  try {
    console.log(`Swagger UI with a small live API is at ${baseURL}.`);
    const exchanges = await record();
    const file = exchanges.at(-1)?.result.files[0]?.path ?? '';
    console.log(`----- ${file} -----\n`);
    console.log(await readFile(path.join(root, file), 'utf8'));
    console.log('----- Playwright Test -----');
    const exitCode = await runTest(file);
    const sum = (count: (exchange: Exchange) => number): number =>
      exchanges.reduce((total, exchange) => total + count(exchange), 0);
    console.log(
      `${exitCode === 0 ? 'PASSED' : 'FAILED'}: ${sum(({ actions }) => actions.length)} actions in ` +
        `${exchanges.length} calls, ${seconds(sum(({ ms }) => ms))}, ` +
        `${kilobytes(sum(({ result }) => Buffer.byteLength(result.text)))} for the agent to read; ` +
        `the emitted test ${exitCode === 0 ? 'passes' : 'does not pass'}.`,
    );
    return exitCode;
  } finally {
    await stopPetstore();
  }
}

/** Serves the petstore, unless it is already served. Returns a function that stops it. */
async function servePetstore(): Promise<() => Promise<void>> {
  try {
    const petstore = await startPetstore(port);
    return () => petstore.close();
  } catch (error) {
    const page = await fetch(baseURL).then(
      (answer) => answer.text(),
      () => '',
    );
    if (page.includes('<title>Petstore</title>')) return () => Promise.resolve();
    throw new Error(`port ${port}, which the petstore needs, is in use by another program.`, {
      cause: error,
    });
  }
}

async function record(): Promise<Exchange[]> {
  const connection = await connect(root);
  try {
    const { name = '', version = '' } = connection.client.getServerVersion() ?? {};
    console.log(`${name} ${version} is connected over stdio; its workspace is ${root}.\n`);
    const exchanges: Exchange[] = [];
    for await (const exchange of playFlow(connection, baseURL)) {
      exchanges.push(exchange);
      console.log(describe(exchange));
    }
    return exchanges;
  } finally {
    await connection.close();
    process.stderr.write(connection.stderr());
  }
}

/** A call in a few lines: its cost, and the code of each action. */
function describe({ tool, title, actions, result, ms }: Exchange): string {
  const files = result.files.map((file) => `${file.path} (${file.change})`);
  const about = [...(title === undefined ? [] : [title]), ...files].map((part) => `${part}  `).join('');
  const cost = `${seconds(ms)}, ${kilobytes(Buffer.byteLength(result.text))} back`;
  const codes = [...result.codes];
  const lines = actions.map(({ action, target = '', title: step, record }) => {
    const ref = /^e\d+$/.test(target) ? target : '';
    const code = record === false ? undefined : codes.shift();
    const landed = step === undefined ? code : `step: ${step}`;
    return `  ${ref.padEnd(4)}  ${clip(landed ?? `${action} (not recorded)`)}`;
  });
  return [`${tool}  ${about}[${cost}]`, ...lines, ''].join('\n');
}

/** Shortens a line in the middle, since the expected value of an assertion is at its end. */
function clip(text: string): string {
  return text.length > 92 ? `${text.slice(0, 59)}…${text.slice(-32)}` : text;
}

function runTest(file: string): Promise<number> {
  const cli = createRequire(import.meta.url).resolve('@playwright/test/cli');
  const args = [cli, 'test', '--project=generated', '--reporter=list', path.basename(file)];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code) => {
      resolve(code ?? 1);
    });
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
