import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Service } from '../service.js';
import { createServer } from './v1.js';

/** Serves the client at stdin and stdout. */
export async function connectStdio(service: Service, onClose: () => void): Promise<void> {
  const { server } = createServer(service);
  server.onclose = onClose;
  await server.connect(new StdioServerTransport());
}
