import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Context } from 'hono';
import { stream } from 'hono/streaming';
import { z } from 'zod';
import { within } from '../model/within.js';
import type { Peer } from '../state/peers.js';
import { logAct } from './access.js';
import { failureOf, Refusal } from './failures.js';
import { follow, requireFreeStream } from './follow.js';
import type { PageApp, PageEnv, PageOptions } from './options.js';
import type { Person, SessionSummary } from './shapes.js';

/** Milliseconds for another server to list its sessions. */
const answerMs = 2000;
/** Milliseconds between checks that a viewer is still logged in. */
const lookMs = 1000;

const hasStopped = 'Its server may have stopped. Go back to the list of sessions.';

/** Servers of one workspace may be of different versions, but only the id is needed here. */
const listSchema = z.array(
  z.custom<SessionSummary>((value) => typeof value === 'object' && value !== null && 'id' in value),
);

interface Asked {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}

/** The sessions of all servers of the workspace; what is done with one goes to its server. */
export function addPeerSessions(
  app: PageApp,
  options: PageOptions,
  findPeers: NonNullable<PageOptions['peers']>,
): void {
  const list = async (person: Person): Promise<{ peer: Peer; sessions: SessionSummary[] }[]> =>
    Promise.all(
      (await findPeers()).map(async (peer) => ({ peer, sessions: await sessionsOf(peer, person) })),
    );

  app.get('/ui/api/sessions', (context) => {
    const { person } = context.get('login');
    return follow(context, options, async () => (await list(person)).flatMap(({ sessions }) => sessions));
  });

  const find = async (id: string, person: Person): Promise<Peer> => {
    const servers = await list(person);
    const found = servers.find(({ sessions }) => sessions.some((session) => session.id === id));
    if (found === undefined) throw new Refusal(404, `There is no session ${id}.`, hasStopped);
    return found.peer;
  };
  const forward = async (context: Context<PageEnv, '/ui/api/sessions/:session/*'>): Promise<Response> => {
    const { req } = context;
    const { person } = context.get('login');
    const session = req.param('session');
    try {
      return await relay(context, await find(session, person));
    } catch (error) {
      // The server of the session writes a line only if it is reached.
      const action = req.path.split('/').at(-1) ?? '';
      if (req.method !== 'GET')
        await logAct(options, person, { action, session, error: failureOf(error).code });
      throw error;
    }
  };
  app.all('/ui/api/sessions/:session', forward);
  app.all('/ui/api/sessions/:session/*', forward);
}

/** None if the server does not respond. */
async function sessionsOf(peer: Peer, person: Person): Promise<SessionSummary[]> {
  const list = ask(peer, person, { path: '/ui/api/sessions' }).then(async (answer) =>
    listSchema.parse(JSON.parse(await text(answer))),
  );
  return (await within(answerMs, list)) ?? [];
}

function ask({ socket, secret }: Peer, person: Person, asked: Asked): Promise<IncomingMessage> {
  const { path, method = 'GET', headers, body, signal } = asked;
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath: socket,
      path,
      method,
      headers: {
        ...headers,
        Host: 'localhost',
        'X-Codegen-Peer': secret,
        'X-Codegen-Person': encodeURIComponent(JSON.stringify(person)),
      },
      ...(signal && { signal }),
    });
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Passes on the answer of a session's server until the viewer disconnects. */
async function relay(context: Context<PageEnv>, peer: Peer): Promise<Response> {
  const { req } = context;
  const login = context.get('login');
  const isStream = req.header('accept') === 'text/event-stream';
  if (isStream) requireFreeStream(login);
  const left = new AbortController();
  const leave = (): void => {
    left.abort();
  };
  req.raw.signal.addEventListener('abort', leave);
  const answer = await ask(peer, login.person, {
    path: req.path,
    method: req.method,
    headers: { Accept: req.header('accept') ?? '*/*', 'Content-Type': 'application/json' },
    body: await req.text(),
    signal: left.signal,
  }).catch(() => {
    throw new Refusal(500, 'The server of this session does not respond.', hasStopped);
  });
  context.header('Content-Type', answer.headers['content-type'] ?? 'application/json');
  context.header('X-Accel-Buffering', 'no');
  const { statusCode = 500 } = answer;
  if (!isStream)
    return new Response(await text(answer), { status: statusCode, headers: context.res.headers });
  return stream(context, async (out) => {
    login.streams++;
    const looking = setInterval(() => {
      if (!login.isValid()) leave();
    }, lookMs);
    out.onAbort(leave);
    try {
      for await (const chunk of answer) await out.write(z.instanceof(Uint8Array).parse(chunk));
    } finally {
      login.streams--;
      clearInterval(looking);
    }
  });
}
