import { createBackend } from './backend.js';
import { createBrowserPool } from '../browser/launch.js';
import type { ConfigLocation } from '../config/load.js';
import { forgetTokens, Tokens } from '../config/tokens.js';
import { redactLog, stopWithProcess } from './process.js';
import { connectStdio } from './sdk/stdio.js';
import { createService } from './service.js';

/** Milliseconds for running calls to finish when the process receives a signal to stop. */
const drainingMs = 20_000;

/** Serves MCP over stdio until the client disconnects or the process receives a signal to stop. */
export async function serveStdio({
  grant,
  ...location
}: ConfigLocation & { grant: string; name: string | undefined }): Promise<void> {
  const operators = new Tokens(process.env, location.workspace);
  const backend = await createBackend({
    ...location,
    browsers: createBrowserPool(),
    mustBeKnown: () => false,
    accept: ({ grants, ui }) => {
      if (ui.port !== null) operators.accept([], ui.operators);
      forgetTokens([...grants, ...ui.operators], process.env);
    },
  });
  redactLog(backend.secrets);
  const connection = backend.connect(grant);
  await connection.context.guard.recover();
  const service = createService({ context: connection.context, calls: backend.calls }, (call) => {
    backend.webhook.answered(grant, call);
  });

  let stopping: Promise<void> | undefined;
  const stop = (exitCode: number, drainingMs: number): Promise<void> => {
    stopping ??= (async () => {
      await backend.close(drainingMs);
      await connection.end();
      process.exit(exitCode);
    })();
    return stopping;
  };
  stopWithProcess((exitCode) => void stop(exitCode, exitCode === 0 ? drainingMs : 0));
  const abandon = (): void => {
    void backend.calls.drain(0);
    void stop(0, 0);
  };
  process.stdout.on('error', abandon);
  process.stdin.on('end', abandon);
  await connectStdio(service, abandon);
  const { workspace } = location;
  const host = { backend, workspace, own: connection, grants: () => [grant] };
  const { port } = backend.config().ui;
  if (port !== null) {
    const { openPage } = await import('./stdio-page.js');
    await openPage({ ...host, port, operatorOf: (token) => operators.operatorOf(token) });
  }
  const { openToPeers } = await import('./peer.js');
  await openToPeers(host);
}
