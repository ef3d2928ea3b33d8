import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { copy, ensureDir, ensureSymlink, outputFile, remove } from 'fs-extra/esm';
import { ensureStateDirectory, isRunning } from '../state/files.js';
import type { PlaywrightTest } from './playwright-test.js';

/** A directory of one run, outside of the output directory, for tests that are not there yet and for reports. */
export interface Staging {
  directory: string;
  /** Writes a file; gives its absolute path. */
  write(name: string, content: string): Promise<string>;
  /** Copies a file; one that can't be copied is left to the test to miss. */
  copy(name: string, from: string): Promise<void>;
  remove(): Promise<void>;
}

/** Makes a staging directory in which `@playwright/test` is the given copy, and removes those that killed processes left. */
export async function createStaging(stateDirectory: string, playwright: PlaywrightTest): Promise<Staging> {
  const folder = path.join(stateDirectory, 'verify');
  await ensureStateDirectory(stateDirectory);
  await sweep(folder);
  const directory = path.join(folder, `${process.pid}-${randomBytes(6).toString('hex')}`);
  await ensureDir(directory, 0o700);
  const scope = path.join(directory, 'node_modules', '@playwright');
  await ensureSymlink(playwright.directory, path.join(scope, 'test'), 'junction');
  return {
    directory,
    async write(name, content) {
      const file = path.join(directory, name);
      await outputFile(file, content);
      return file;
    },
    async copy(name, from) {
      await copy(from, path.join(directory, name), { dereference: true }).catch(() => undefined);
    },
    remove: () => removeDirectory(directory),
  };
}

async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => !isRunning(Number.parseInt(name)));
  await Promise.all(left.map((name) => removeDirectory(path.join(folder, name))));
}

/** What can't be removed now is removed by a later run. */
async function removeDirectory(directory: string): Promise<void> {
  await remove(directory).catch(() => undefined);
}
