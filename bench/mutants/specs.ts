import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { connect, configure, type Connection } from '../../test/fixtures.js';
import type { Application, FlowAction } from './application.js';
import { parseSpec, watched } from '../tests/spec.js';

/** The versions of a test that are compared. */
export const versions = ['automatic', 'plus eight', 'expert'] as const;
export type Version = (typeof versions)[number];

/** The tests of an application. */
export interface Specs {
  /** What the server emits with `autoAssert` off. */
  none: string;
  /** The same, noting what the page shows after each step. */
  observing: string;
  automatic: string;
  'plus eight': string;
  expert: string;
}

/** Records the flow with the real server, once for each version that is not written by hand. */
export async function makeSpecs(
  application: Application,
  baseURL: string,
  workspace: string,
): Promise<Specs> {
  // Like users get them, but for the limit on writes.
  await configure(workspace, { autoAssert: true, verify: { mode: 'require' }, writes: { limits: [] } });
  const connection = await connect(workspace);
  try {
    const record = (name: string, autoAssert: boolean, flow: readonly FlowAction[][]): Promise<string> =>
      recordFlow(connection, { application, baseURL, file: `${name}.spec.ts`, autoAssert, flow });
    const { flow, agent, name } = application;
    const none = await record('none', false, callsOf(flow, []));
    return {
      none,
      observing: observing(none),
      automatic: await record('automatic', true, callsOf(flow, [])),
      'plus eight': await record('plus-eight', true, callsOf(flow, agent)),
      expert: await readFile(fileURLToPath(new URL(`expert/${name}.spec.ts`, import.meta.url)), 'utf8'),
    };
  } finally {
    await connection.close();
  }
}

/** The test, noting what the page shows after each step. */
function observing(source: string): string {
  // Steps are noted by the benchmark's own function.
  return watched(parseSpec(source)).replace(
    /\/\*\* @param[^]*$/,
    `import { note } from '@playwright/test';\n`,
  );
}

/** How many assertions a test has. */
export function countAssertions(source: string): number {
  return [...source.replace(/^\s*\/\/.*$/gm, '').matchAll(/\bexpect(?:\.soft|\.poll)?\(/g)].length;
}

/** The calls that an agent makes: an action that changes the page each, with what prepares it and what it asserts. */
export function callsOf(flow: readonly FlowAction[], agent: Application['agent']): FlowAction[][] {
  const calls: FlowAction[][] = [];
  let prepared: FlowAction[] = [];
  for (const [index, action] of flow.entries()) {
    prepared.push(action);
    if (action.action === 'onDialog' || action.action === 'waitForResponse') continue;
    const asserted = agent
      .filter(({ after }) => after === index)
      .map(({ expect }) => ({ action: 'expect', ...expect }));
    calls.push([...prepared, ...asserted]);
    prepared = [];
  }
  return calls;
}

interface Take {
  application: Application;
  baseURL: string;
  file: string;
  autoAssert: boolean;
  flow: readonly FlowAction[][];
}

async function recordFlow({ start, record, call }: Connection, take: Take): Promise<string> {
  const { application, baseURL, file, autoAssert } = take;
  const { title, url } = application;
  const started = await start({ title, url, file, autoAssert, use: { baseURL } });
  if (started.isError) throw new Error(started.text);
  for (const actions of take.flow) {
    const { isError, text } = await record(started.sessionId, ...actions);
    if (isError) throw new Error(`${application.name}: ${text}`);
  }
  const ended = await call('end_codegen_session', { sessionId: started.sessionId, onConflict: 'overwrite' });
  if (ended.isError) throw new Error(`${application.name}: ${ended.text}`);
  return readFile(ended.filePath, 'utf8');
}
