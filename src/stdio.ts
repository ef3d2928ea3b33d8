import { randomBytes } from 'node:crypto';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createBackend } from './backend.js';
import { createBrowserPool } from './browser/launch.js';
import type { ConfigLocation } from './config/load.js';
import { forgetTokens } from './config/tokens.js';
import { redactLog, stopWithProcess } from './process.js';
import { createServer } from './server.js';

/** Serves MCP over stdio until the client disconnects or the process is told to stop. */
export async function serveStdio({ grant, ...location }: ConfigLocation & { grant: string }): Promise<void> {
  const backend = await createBackend({
    ...location,
    browsers: createBrowserPool(),
    mustBeKnown: () => false,
    accept: ({ grants }) => {
      forgetTokens(grants, process.env);
    },
  });
  redactLog(backend.secrets);
  const connection = backend.connect({ grant, connection: randomBytes(8).toString('hex') });
  await connection.context.guard.recover();
  const server = createServer(connection.context);

  let stopping: Promise<void> | undefined;
  const stop = (exitCode: number): Promise<void> => {
    stopping ??= (async () => {
      await backend.close();
      await connection.end();
      process.exit(exitCode);
    })();
    return stopping;
  };
  stopWithProcess((exitCode) => void stop(exitCode));
  process.stdout.on('error', () => void stop(0));
  process.stdin.on('end', () => void stop(0));
  server.server.onclose = () => void stop(0);
  await server.connect(new StdioServerTransport());
}
