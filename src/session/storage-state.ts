import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { isInside } from '../model/paths.js';

/** What Playwright saves of a context, as far as it is needed; Playwright checks the rest. */
const stateSchema = z.looseObject({
  cookies: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
  origins: z
    .array(
      z.looseObject({
        origin: z.string(),
        localStorage: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
      }),
    )
    .optional(),
});

/**
 * Checks the file that a session starts from. Throws PATH_NOT_ALLOWED where it is outside of the workspace,
 * INVALID_INPUT where there is none or it holds no state. Nothing of what it holds is told.
 */
export async function checkStorageState(file: string, workspace: string): Promise<void> {
  const name = JSON.stringify(file);
  const root = await realpath(workspace);
  if (path.isAbsolute(file) || !isInside(root, path.resolve(root, file))) throw outside(name);
  const real = await realpath(path.resolve(root, file)).catch(() => undefined);
  if (real === undefined) throw unusable(`there is no file ${name}`);
  if (!isInside(root, real)) throw outside(name);
  let state: unknown;
  try {
    state = JSON.parse(await readFile(real, 'utf8'));
  } catch {
    throw unusable(`${name} is not a JSON file`);
  }
  const [issue] = stateSchema.safeParse(state).error?.issues ?? [];
  if (issue !== undefined)
    throw unusable(
      `${name} holds no storage state (${issue.path.join('.') || 'the whole'}: ${issue.message})`,
    );
}

function outside(name: string): CodegenError {
  return new CodegenError('PATH_NOT_ALLOWED', `use.storageState: ${name} is not in the workspace.`, {
    hint: 'Give the path of a file in the workspace, relative to it.',
  });
}

function unusable(what: string): CodegenError {
  return new CodegenError('INVALID_INPUT', `use.storageState: ${what}.`, {
    hint: 'Give the path, relative to the workspace, of a file that `context.storageState({ path })` has saved.',
  });
}
