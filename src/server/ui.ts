import { createBrowserPool } from '../browser/launch.js';
import type { ConfigLocation } from '../config/load.js';
import { forgetTokens, Tokens } from '../config/tokens.js';
import { createBackend } from './backend.js';
import { redactLog, stopWithProcess } from './process.js';
import { servePageAt } from './stdio-page.js';

interface UiOptions extends ConfigLocation {
  /** A free port by default. */
  port: number | undefined;
}

/** Serves the web UI with the sessions of all servers of the workspace, until the process receives a signal to stop. */
export async function serveUi({ port, ...location }: UiOptions): Promise<void> {
  const operators = new Tokens(process.env, location.workspace);
  const backend = await createBackend({
    ...location,
    name: undefined,
    browsers: createBrowserPool(),
    mustBeKnown: () => false,
    accept: ({ grants, ui }) => {
      operators.accept([], ui.operators);
      forgetTokens(grants, process.env);
    },
  });
  redactLog(backend.secrets);
  const own = backend.connect('local');
  await servePageAt(port ?? 0, {
    backend,
    workspace: location.workspace,
    own,
    showsPeers: true,
    grants: () => ['local', ...backend.config().grants.map(({ name }) => name)],
    operatorOf: (token) => operators.operatorOf(token),
  });
  stopWithProcess((exitCode) => {
    void backend
      .close(0)
      .then(() => own.end())
      .finally(() => process.exit(exitCode));
  });
}
