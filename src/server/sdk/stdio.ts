import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isJSONRPCRequest, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/sdk/types.js';
import { log, logStack } from '../../model/log.js';
import type { Service } from '../service.js';
import { isStateless } from './revision.js';
import { createServer } from './v1.js';

/** The transport for a server of one revision. */
class Channel {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;

  constructor(
    private readonly wire: Transport,
    private readonly pending: Set<RequestId>,
  ) {}

  start(): Promise<void> {
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (!('method' in message) && message.id !== undefined) this.pending.delete(message.id);
    return this.wire.send(message);
  }

  close(): Promise<void> {
    return this.wire.close();
  }
}

/** Serves the client over stdio, by the revision of its first request. */
export async function connectStdio(service: Service, onClose: () => void): Promise<void> {
  const wire = new StdioServerTransport();
  const pending = new Set<RequestId>();
  const sessions = new Channel(wire, pending);
  await createServer(service).connect(sessions);
  let stateless: Promise<Channel> | undefined;
  const load = async (): Promise<Channel> => {
    const { serveStream } = await import('./v2.js');
    const channel = new Channel(wire, pending);
    serveStream(service, channel);
    return channel;
  };
  let chosen: 'sessions' | 'stateless' | undefined;
  const deliver = async (message: JSONRPCMessage): Promise<void> => {
    const isDiscovery = 'method' in message && message.method === 'server/discover';
    const revision = chosen ?? (isStateless(message) ? 'stateless' : 'sessions');
    // After a discovery, the client may still choose a revision with sessions.
    if (!isDiscovery) chosen = revision;
    const channel = revision === 'sessions' ? sessions : await (stateless ??= load());
    channel.onmessage?.(message);
  };
  // In order, even while the server of the stateless revisions is loading.
  let delivered = Promise.resolve();
  wire.onmessage = (message) => {
    if (isJSONRPCRequest(message)) {
      // The client would take the response to one for the response to the other.
      if (pending.has(message.id)) {
        log('A request was ignored: a request with the same id is running.');
        return;
      }
      pending.add(message.id);
    } else if ('method' in message && message.method === 'notifications/cancelled') {
      // A cancelled request gets no response.
      const id = message.params?.['requestId'];
      if (typeof id === 'string' || typeof id === 'number') pending.delete(id);
    }
    delivered = delivered.then(() => deliver(message)).catch(logStack);
  };
  wire.onclose = onClose;
  await wire.start();
}
