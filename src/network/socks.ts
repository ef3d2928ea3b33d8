import { once } from 'node:events';
import type { Socket } from 'node:net';

/** Replies to a request (RFC 1928, section 6). */
export const replies = { succeeded: 0, failed: 1 };

const version = 5;
const anyAddress = Buffer.from([1, 0, 0, 0, 0, 0, 0]);

/** Reads a SOCKS 5 request (RFC 1928). Throws if it is malformed or the client disconnects. */
export async function acceptRequest(client: Socket): Promise<{ host: string; port: number }> {
  const greeting = await read(client, 2);
  if (greeting[0] !== version) throw new Error('not SOCKS 5');
  await read(client, greeting[1] ?? 0);
  client.write(Buffer.from([version, 0]));
  const [, command, , type] = await read(client, 4);
  if (command !== 1) throw new Error('not a CONNECT request');
  const host = await readHost(client, type);
  return { host, port: (await read(client, 2)).readUInt16BE() };
}

export function sendReply(client: Socket, reply: number): void {
  client.write(Buffer.concat([Buffer.from([version, reply, 0]), anyAddress]));
}

/** Returns the first byte without consuming it. */
export async function peek(client: Socket): Promise<number | undefined> {
  const first = await read(client, 1);
  client.unshift(first);
  return first[0];
}

async function readHost(client: Socket, type: number | undefined): Promise<string> {
  if (type === 1) return (await read(client, 4)).join('.');
  if (type === 4) return (await read(client, 16)).toString('hex').replace(/(.{4})(?=.)/g, '$1:');
  const [length = 0] = await read(client, 1);
  return (await read(client, length)).toString('latin1');
}

async function read(client: Socket, length: number): Promise<Buffer> {
  let received = Buffer.alloc(0);
  while (received.length < length) {
    const chunk: unknown = client.read();
    if (Buffer.isBuffer(chunk)) received = Buffer.concat([received, chunk]);
    else if (client.readableEnded || client.destroyed) throw new Error('the client has disconnected');
    else await change(client);
  }
  if (received.length > length) client.unshift(received.subarray(length));
  return received.subarray(0, length);
}

/** Resolves when data arrives, the stream ends or the socket closes. */
async function change(client: Socket): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(client, 'readable', { signal }), once(client, 'close', { signal })]);
  } finally {
    settled.abort();
  }
}
