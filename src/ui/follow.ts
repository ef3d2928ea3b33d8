import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { failureOf, Refusal } from './failures.js';
import type { Login } from './logins.js';
import type { PageEnv, PageOptions } from './options.js';
import type { LivePicture } from './shapes.js';

/** Milliseconds between checks for changes while somebody watches. */
const lookMs = 300;
/** Milliseconds after which a silent stream sends an event, so that proxies don't close it. */
const silentMs = 15_000;
/** Streams that one login may have open. */
const maxStreams = 8;

/** Pictures of a page for one viewer: the latest one, and a wait for the next. */
export interface Frames {
  take(): LivePicture | undefined;
  next(): Promise<unknown>;
  close(): void;
}

export function requireFreeStream({ streams }: Login): void {
  if (streams >= maxStreams)
    throw new Refusal(429, 'The web UI is open in too many tabs.', 'Close some of them.');
}

/**
 * Answers with what `read` returns: once, or for a client that accepts a stream, again whenever it changes. A slow
 * client gets fewer states: the next is read when the last has been sent.
 */
export async function follow(
  context: Context<PageEnv>,
  { secrets }: PageOptions,
  read: () => Promise<unknown>,
  openFrames?: () => Frames,
): Promise<Response> {
  const login = context.get('login');
  if (context.req.header('accept') !== 'text/event-stream')
    return context.json(secrets.redactAll(await read()));
  requireFreeStream(login);
  context.header('X-Accel-Buffering', 'no');
  return streamSSE(context, async (stream) => {
    login.streams++;
    const frames = openFrames?.();
    let [sent, sentAt] = ['', 0];
    const send = async (event: string, data: string): Promise<void> => {
      sentAt = performance.now();
      await stream.writeSSE({ event, data });
    };
    try {
      while (!stream.aborted && login.isValid()) {
        const state = JSON.stringify(secrets.redactAll(await read()));
        if (state !== sent) await send('state', state);
        sent = state;
        const picture = frames?.take();
        if (picture !== undefined) await send('picture', JSON.stringify(picture));
        if (performance.now() - sentAt > silentMs) await send('alive', '');
        await Promise.race([sleep(lookMs), ...(frames === undefined ? [] : [frames.next()])]);
      }
    } catch (error) {
      await send('failure', JSON.stringify(failureOf(error)));
    } finally {
      login.streams--;
      frames?.close();
    }
  });
}
