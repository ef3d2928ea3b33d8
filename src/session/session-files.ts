import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SessionFiles } from '../actions/action.js';
import type { Session } from './session.js';

/** The guard's functions for the files of a session. */
interface FileGuard {
  checkReadable(file: string, options?: { mayBeLogin: boolean }): Promise<{ absolute: string }>;
  writeArtifact(file: string, data: Buffer, session: object): Promise<unknown>;
}

/** The workspace's files for a session's actions; every access passes the guard. */
export function sessionFiles(
  { guard, workspace }: { guard: FileGuard; workspace: string },
  session: Session,
): SessionFiles {
  return {
    readable: async (file) => (await guard.checkReadable(file)).absolute,
    async login(file) {
      const { readStorageState } = await import('./storage-state.js');
      const { absolute } = await guard.checkReadable(file, { mayBeLogin: true });
      return readStorageState(file, absolute);
    },
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
