import { stat } from 'node:fs/promises';
import { readJson } from 'fs-extra/esm';
import { z } from 'zod';
import type { StorageState } from '../browser/context-options.js';
import { CodegenError } from '../model/errors.js';

const maxBytes = 10 * 1024 * 1024;
const maxOrigins = 100;

/** The part of a storage state that the server reads; Playwright checks the rest. */
const stateSchema = z.looseObject({
  cookies: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
  origins: z
    .array(
      z.looseObject({
        origin: z.string(),
        localStorage: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
      }),
    )
    // Playwright opens a page for each.
    .max(maxOrigins)
    .optional(),
});

/**
 * Reads a session's storage state from a path that the guard has checked. Throws INVALID_INPUT if it is invalid; the error
 * does not quote the file.
 */
export async function readStorageState(file: string, absolute: string): Promise<StorageState> {
  const name = JSON.stringify(file);
  if ((await stat(absolute)).size > maxBytes) throw unusable(`${name} has more than ${maxBytes} bytes`);
  let state: unknown;
  try {
    state = await readJson(absolute);
  } catch {
    throw unusable(`${name} is not a JSON file`);
  }
  const { error } = stateSchema.safeParse(state);
  if (error === undefined) return z.custom<StorageState>().parse(state);
  const [issue] = error.issues;
  throw unusable(
    `${name} is not a storage state (${issue?.path.join('.') || 'the whole'}: ${issue?.message})`,
  );
}

function unusable(what: string): CodegenError {
  return new CodegenError('INVALID_INPUT', `use.storageState: ${what}.`, {
    hint: 'Use the path, relative to the workspace, of a file that `context.storageState({ path })` saved.',
  });
}
