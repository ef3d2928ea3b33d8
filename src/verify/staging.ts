import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
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
  const scope = path.join(directory, 'node_modules', '@playwright');
  await mkdir(scope, { recursive: true, mode: 0o700 });
  await symlink(playwright.directory, path.join(scope, 'test'), 'junction');
  return {
    directory,
    async write(name, content) {
      const file = path.join(directory, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    async copy(name, from) {
      const file = path.join(directory, name);
      await mkdir(path.dirname(file), { recursive: true });
      await copyFile(from, file).catch(() => undefined);
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
  await rm(directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}
