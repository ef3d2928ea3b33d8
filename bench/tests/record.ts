import { messageOf } from '../../src/model/errors.js';
import { playFlow } from '../../test/demo-flow.js';
import type { Connection, Result } from '../../test/fixtures.js';
import type { Page } from './applications.js';
import { explore } from './explorer.js';

/** The result of a session on a page. */
export interface Recording {
  page: Page;
  /** The test as recorded; undefined if there was nothing to act on. */
  recorded?: string;
  /** The test as written; undefined if the server rejected it. */
  emitted?: string;
  /** The server's answer. */
  answer: string;
  /** Milliseconds for ending the session, without and with verification. */
  endMs: { plain: number; verified: number };
}

/**
 * Records a flow and ends the session twice: as a dry run without verification, and as configured. `verifies`: whether
 * the server supports verification.
 */
export async function recordPage(connection: Connection, page: Page, verifies: boolean): Promise<Recording> {
  const { call } = connection;
  const session = await (page.source === 'swagger-ui' ? playDemo : exploreAnew)(connection, page);
  if (typeof session === 'string') return { page, answer: session, endMs: { plain: 0, verified: 0 } };
  const { sessionId } = session;
  const off = verifies ? { verify: 'off' } : {};
  const plain = await timed(() => call('end_codegen_session', { sessionId, dryRun: true, ...off }));
  const verified = await timed(() =>
    call('end_codegen_session', { sessionId }).catch((error: unknown) => ({
      ...plain.result,
      isError: true,
      text: messageOf(error),
    })),
  );
  const { isError, text, testCode } = verified.result;
  if (isError) await call('clear_codegen_session', { sessionId });
  return {
    page,
    recorded: plain.result.testCode,
    ...(isError ? {} : { emitted: testCode }),
    answer: text,
    endMs: { plain: plain.ms, verified: verified.ms },
  };
}

/** The open session, or the reason why there is none. */
type Session = { sessionId: string } | string;

async function exploreAnew(connection: Connection, page: Page): Promise<Session> {
  const { source, name, baseURL, url } = page;
  const started = await connection.start({
    title: `${source} ${url}`,
    file: `${name}.spec.ts`,
    use: { baseURL },
    url,
  });
  if (started.isError) return started.text;
  const { sessionId } = started;
  if ((await explore(connection, started)) > 0) return { sessionId };
  await connection.call('clear_codegen_session', { sessionId });
  return 'There is nothing to act on.';
}

/** The demo flow without its assertions. */
async function playDemo(connection: Connection, { name, baseURL }: Page): Promise<Session> {
  let last: Result | undefined;
  const call: Connection['call'] = async (tool, args = {}) => {
    // The session stays open.
    if (tool === 'end_codegen_session' && last !== undefined) return last;
    const actions = Array.isArray(args['actions']) ? args['actions'].filter(isNoAssertion) : undefined;
    const file = tool === 'start_codegen_session' ? { file: `${name}.spec.ts` } : {};
    last = await connection.call(tool, { ...args, ...(actions && { actions }), ...file });
    return last;
  };
  let sessionId = '';
  for await (const { result } of playFlow({ ...connection, call }, baseURL)) sessionId ||= result.sessionId;
  return { sessionId };
}

function isNoAssertion(action: { action?: unknown }): boolean {
  return action.action !== 'expect';
}

async function timed(work: () => Promise<Result>): Promise<{ result: Result; ms: number }> {
  const before = performance.now();
  const result = await work();
  return { result, ms: performance.now() - before };
}
