import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refuse.js';

/** Bytes of one request. */
const bytesAtMost = 4 * 1024 * 1024;

/**
 * What a request says, as JSON; undefined where its method sends nothing. The SDK would read it too, but breaks the
 * connection on what is too long before a slow client hears why: here the rest is let in, and dropped.
 */
export async function readMessage(request: IncomingMessage): Promise<{ message: unknown } | Refusal> {
  if (request.method !== 'POST') return { message: undefined };
  const body = await readBody(request);
  if (body === undefined) return { status: 413, message: `Payload Too Large: ${bytesAtMost} bytes at most` };
  try {
    const message: unknown = JSON.parse(body);
    return { message };
  } catch {
    return { status: 400, code: -32700, message: 'Parse error: Invalid JSON' };
  }
}

/** The body of a request; undefined where it is too long, and what there is of it where the client has left. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesAtMost) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      resolve(undefined);
    });
    const end = (): void => {
      resolve(Buffer.concat(chunks).toString());
    };
    request.once('end', end).once('close', end);
  });
}
