import { expect } from '@playwright/test';

/** A spec as it would be on disk; the extension of its name tells the language. */
export interface EmittedFile {
  name: string;
  content: string;
}

/** Whether the session asserted something; one that did not may lack an assertion. */
export interface EmittedOptions {
  asserted?: boolean;
}

/** Fails unless the files compile in strict mode, lint without a finding and are formatted as Prettier does. */
export async function checkEmitted(
  files: readonly EmittedFile[],
  options: EmittedOptions = {},
): Promise<void> {
  expect(await findingsIn(files, options)).toEqual([]);
}

/** What TypeScript, ESLint and Prettier find, one text each. */
export async function findingsIn(
  files: readonly EmittedFile[],
  options: EmittedOptions = {},
): Promise<string[]> {
  // The checkers take a second to load, in the runner and in each worker, most of which need none.
  const checkers = await import('./checkers.js');
  return checkers.findingsIn(files, options);
}
