import { signal } from '@preact/signals';
import type { Failure, Person, LivePicture } from '../shapes.js';

/** Name of the key in this origin's storage. */
const keyName = 'codegen-page-key';
/** Milliseconds before a broken stream is opened again. */
const retryMs = 1000;

/** Who is logged in: null for nobody, undefined if not known yet. */
export const person = signal<Person | null | undefined>(undefined);

/** An answer of the server that says why something failed. */
export class ApiError extends Error {
  constructor(
    readonly failure: Failure,
    readonly status = 0,
  ) {
    super(failure.message);
  }
}

/** The server and this script are of one build, so answers have the expected shapes. */
function isAnswer<Shape>(_value: unknown, _shape?: Shape): _value is Shape {
  return true;
}

function parse<Shape>(text: string, shape?: Shape): Shape {
  const value: unknown = JSON.parse(text);
  if (isAnswer(value, shape)) return value;
  throw new Error('unreachable');
}

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}

async function send(path: string, init: Sent): Promise<Response> {
  const headers = { ...init.headers, 'X-Codegen-Page': localStorage.getItem(keyName) ?? '' };
  const response = await fetch(`/ui/api/${path}`, { ...init, headers }).catch((error: unknown) => {
    if (init.signal?.aborted === true) throw error;
    throw new ApiError({
      code: 'OFFLINE',
      message: 'The server does not respond.',
      hint: 'It may have stopped. This page reconnects when the server is back.',
    });
  });
  if (response.ok) return response;
  if (response.status === 401 && path !== 'login') person.value = null;
  const { error } = parse<{ error?: Failure }>(await response.text());
  throw new ApiError(error ?? { code: 'REFUSED', message: response.statusText }, response.status);
}

export async function get<Shape>(path: string): Promise<Shape> {
  return parse<Shape>(await (await send(path, {})).text());
}

export async function post<Shape = object>(path: string, body: object = {}): Promise<Shape> {
  const response = await send(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = parse<Shape & { error?: Failure }>(await response.text());
  if (answer.error !== undefined) throw new ApiError(answer.error);
  return answer;
}

export async function logIn(credentials: { token: string } | { link: string }): Promise<void> {
  const answer = await post<{ person: Person; key: string }>('login', credentials);
  localStorage.setItem(keyName, answer.key);
  person.value = answer.person;
}

export async function logOut(): Promise<void> {
  await post('logout');
  localStorage.removeItem(keyName);
  person.value = null;
}

interface Watcher<Shape> {
  state: (state: Shape) => void;
  picture?: ((picture: LivePicture) => void) | undefined;
  failure: (failure: Failure | undefined) => void;
}

/** Follows a view while this tab is visible, until the signal aborts. */
export async function subscribe<Shape>(
  path: string,
  watcher: Watcher<Shape>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    while (document.hidden)
      await new Promise((resolve) => {
        document.addEventListener('visibilitychange', resolve, { once: true });
      });
    const stream = new AbortController();
    const either = AbortSignal.any([signal, stream.signal]);
    const stop = (): void => {
      stream.abort();
    };
    document.addEventListener('visibilitychange', stop, { signal: either });
    try {
      const response = await send(path, { headers: { Accept: 'text/event-stream' }, signal: either });
      await readEvents(response, watcher);
    } catch (error) {
      if (!either.aborted) watcher.failure(failureToShow(error));
    } finally {
      stop();
    }
    if (person.value === null) return;
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

async function readEvents<Shape>(response: Response, watcher: Watcher<Shape>): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: '' };
    if (done) return;
    const events = (text + value).split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const [, name, data = ''] = /^event: (\w+)\ndata: ([^]*)$/.exec(event) ?? [];
      if (name === 'picture') watcher.picture?.(parse<LivePicture>(data));
      if (name === 'failure') watcher.failure(parse<Failure>(data));
      if (name !== 'state') continue;
      watcher.failure(undefined);
      watcher.state(parse<Shape>(data));
    }
  }
}

export function failureToShow(error: unknown): Failure {
  if (error instanceof ApiError) return error.failure;
  return { code: 'INTERNAL', message: String(error), hint: 'Reload the page.' };
}
