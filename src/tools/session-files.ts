import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SessionFiles } from '../actions/action.js';
import type { Session } from '../session/session.js';
import type { ToolContext } from './tool.js';

/** The files of the workspace as a session's actions may use them: through the guard. */
export function sessionFiles({ guard, workspace }: ToolContext, session: Session): SessionFiles {
  return {
    readable: async (file) => (await guard.checkReadable(file)).absolute,
    async save(file, data) {
      await guard.writeArtifact(file, data, session);
    },
    async module(name) {
      let file: string;
      try {
        file = createRequire(path.join(workspace, 'package.json')).resolve(name);
      } catch {
        return undefined;
      }
      const loaded: unknown = await import(pathToFileURL(file).href);
      return loaded;
    },
  };
}
