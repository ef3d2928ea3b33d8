import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { copy, ensureDir, ensureSymlink, outputFile, outputJson, remove } from 'fs-extra/esm';
import { ensureStateDirectory, isRunning } from '../state/files.js';
import type { PlaywrightTest } from './playwright-test.js';

/** A run's directory outside the output directory, for tests that are not yet written and for reports. */
export interface Staging {
  directory: string;
  /** Writes a file and returns its absolute path. */
  write(name: string, content: string): Promise<string>;
  /** Copies a file; if that fails, the test will report that it is missing. */
  copy(name: string, from: string): Promise<void>;
  /**
   * Links the siblings of the given workspace files into `root`, which stands in for the workspace, so that the imports,
   * aliases and packages of a staged copy resolve as in its real location.
   */
  surround(root: string, workspace: string, files: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

/** Creates a staging directory in which `@playwright/test` is the given copy; removes those of killed processes. */
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
    async surround(root, workspace, files) {
      const real = new Set(files.flatMap((file) => [file, ...directoriesOf(file)]));
      for (const each of [...real].filter((name) => !files.includes(name))) {
        const names = await readdir(path.join(workspace, each)).catch(() => []);
        for (const name of names) {
          const inWorkspace = path.join(each, name);
          if (real.has(inWorkspace) || isUnlinked.test(name)) continue;
          await link(path.join(workspace, inWorkspace), path.join(directory, root, inWorkspace));
        }
      }
    },
    remove: () => removeDirectory(directory),
  };
}

/** Hidden files, and directories of expected screenshots, which a run must not write to. */
const isUnlinked = /^\.|snapshot|screenshot/i;

/** The directories that contain a workspace file, up to the workspace `.`. */
function directoriesOf(file: string): string[] {
  const directory = path.dirname(file);
  return directory === '.' ? [directory] : [directory, ...directoriesOf(directory)];
}

async function link(from: string, to: string): Promise<void> {
  // Paths in these files are relative to the file.
  if (/^[tj]sconfig\.json$/.test(path.basename(from))) return outputJson(to, { extends: from });
  const isDirectory = (await stat(from).catch(() => undefined))?.isDirectory() === true;
  // Windows lets only administrators link files.
  if (isDirectory) await ensureSymlink(from, to, 'junction');
  else await ensureSymlink(from, to, 'file').catch(() => copy(from, to));
}

async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const left = names.filter((name) => !isRunning(Number.parseInt(name)));
  await Promise.all(left.map((name) => removeDirectory(path.join(folder, name))));
}

/** A later run removes what can't be removed now. */
async function removeDirectory(directory: string): Promise<void> {
  await remove(directory).catch(() => undefined);
}
