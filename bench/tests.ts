import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { connect, type Connection } from '../test/fixtures.js';
import { everything, startApplications, type Page } from './tests/applications.js';
import { measure } from './tests/measure.js';
import { results } from './tests/playwright.js';
import { recordPage, type Recording } from './tests/record.js';
import { writeReport } from './tests/report.js';
import { timeAlone, type Timing } from './tests/timing.js';

/** The time of verification is measured on every nth page, with nothing else running. */
const timedEvery = 8;

const { values } = parseArgs({
  options: {
    /** Records all pages whose `source/name` matches, not a sample. */
    only: { type: 'string' },
    /** Pages of each source. */
    limit: { type: 'string' },
    /** Runs of each emitted test. */
    repeat: { type: 'string', default: '10' },
    /** `verify.mode` of the server: `require` as for users, or `off` for tests as recorded. */
    verify: { type: 'string', default: 'require' },
    /** Only serves the applications, to run emitted tests again with `npx playwright test` in a results folder. */
    serve: { type: 'boolean', default: false },
  },
});

// With --serve, existing results stay.
if (!values.serve) await rm(results, { recursive: true, force: true });
const applications = await startApplications(
  values.only === undefined ? everything : new RegExp(values.only),
  values.limit === undefined ? undefined : Number(values.limit),
);
if (values.serve) {
  console.log([...new Set(applications.pages.map(({ baseURL }) => baseURL))].join('\n'));
} else {
  try {
    const { recordings, timings } = await recordAll(applications.pages);
    const isMet = await writeReport(await measure(recordings, Number(values.repeat)), timings);
    process.exitCode = isMet ? 0 : 1;
  } finally {
    await applications.close();
  }
}

/** Records the timed pages one by one, then the others two at a time, all with one server. */
async function recordAll(pages: readonly Page[]): Promise<{ recordings: Recording[]; timings: Timing[] }> {
  const workspace = path.join(results, 'workspace');
  await mkdir(workspace, { recursive: true });
  const config = {
    verify: { mode: values.verify },
    browser: { actionTimeoutMs: 2000 },
    writes: { limits: [] },
  };
  await writeFile(path.join(workspace, 'codegen.config.json'), JSON.stringify(config));
  const connection = await connect(workspace);
  try {
    const verifies = await knowsVerification(connection);
    const recordings: Recording[] = [];
    const timings: Timing[] = [];
    const record = async (page: Page): Promise<Recording> => {
      const recording = await recordPage(connection, page, verifies);
      recordings.push(recording);
      const { emitted, answer } = recording;
      console.log(`${page.name}: ${emitted === undefined ? (answer.split('\n')[0] ?? '') : 'emitted'}`);
      return recording;
    };
    const isTimed = (_: Page, index: number): boolean => index % timedEvery === 0;
    for (const page of pages.filter(isTimed)) {
      const recording = await record(page);
      if (verifies && values.verify !== 'off' && recording.emitted !== undefined)
        timings.push(await timeAlone(recording));
    }
    const rest = pages.filter((page, index) => !isTimed(page, index));
    const lane = async (): Promise<void> => {
      for (let page = rest.shift(); page !== undefined; page = rest.shift()) await record(page);
    };
    await Promise.all([lane(), lane()]);
    const order = (recording: Recording): number => pages.indexOf(recording.page);
    return { recordings: recordings.sort((one, other) => order(one) - order(other)), timings };
  } finally {
    await connection.close();
  }
}

async function knowsVerification({ client }: Connection): Promise<boolean> {
  const { tools } = await client.listTools();
  const end = tools.find(({ name }) => name === 'end_codegen_session');
  return end?.inputSchema.properties?.['verify'] !== undefined;
}
