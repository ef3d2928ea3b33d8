import path from 'node:path';
import { languageOf, type Language } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';
import { loadSession, type SavedSession } from './saved.js';
import { findUnfinished, type UnfinishedSession } from './unfinished.js';

/** A saved session to continue. */
export interface Resumable {
  saved: SavedSession;
  /** Id of the session if it was never ended. */
  origin: string | undefined;
  /** Whether ending it replaces its file. */
  replaces: boolean;
}

/** The saved sessions that a grant may continue. */
interface SavedSessions {
  stateDirectory: string;
  grant: string;
  /** Resolves a spec's path. Throws PATH_NOT_ALLOWED. */
  checkPath: (
    file: string,
    place: { language: Language; outputPath?: string },
  ) => Promise<{ relative: string }>;
}

/**
 * Finds the session that emitted a spec, named relative to the output directory or the workspace; or an unfinished
 * session, by its id or by the file it was going to write. Throws PATH_NOT_ALLOWED, and INVALID_INPUT if none can be
 * resumed.
 */
export async function findSaved(
  { stateDirectory, grant, checkPath }: SavedSessions,
  name: string,
): Promise<Resumable> {
  if (!/\.(?:spec|test|setup)\.[jt]s$/.test(name)) {
    const unfinished = await findUnfinished(stateDirectory, grant, { id: name });
    if (unfinished !== undefined) return unfinishedOne(unfinished);
    if (/^[\w-]+$/.test(name)) throw notSaved(`session ${name}`);
  }
  const language = languageOf(name);
  const inOutput = await checkPath(name, { language });
  // A grant with its own output directory may write nowhere else.
  const inWorkspace = await checkPath(name, { language, outputPath: path.posix.dirname(name) }).catch(
    () => inOutput,
  );
  const files = [inOutput.relative, inWorkspace.relative];
  for (const file of files) {
    const saved = await loadSession(stateDirectory, file);
    if (saved !== undefined) return { saved, origin: undefined, replaces: true };
  }
  for (const file of files) {
    const unfinished = await findUnfinished(stateDirectory, grant, { file });
    if (unfinished !== undefined) return unfinishedOne(unfinished);
  }
  throw notSaved(`session of ${inOutput.relative}`);
}

function unfinishedOne({ id, grant, resumed, holder, ...saved }: UnfinishedSession): Resumable {
  return { saved, origin: id, replaces: resumed };
}

function notSaved(what: string): CodegenError {
  return new CodegenError('INVALID_INPUT', `No ${what} is saved.`, {
    hint: 'Sessions are saved in the state directory while they are recorded and when end_codegen_session writes the test, until they are cleared. An open session cannot be resumed. To continue a test that was recorded elsewhere, name a line of it, such as login.spec.ts:12.',
  });
}
