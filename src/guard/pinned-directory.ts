import { constants } from 'node:fs';
import { access, mkdir, open, readlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { CodegenError } from '../model/errors.js';
import { errorCode, lstatIfExists, syncDirectory } from '../state/files.js';

/** A directory that files are written in; replacing it by another one is detected. */
export interface PinnedDirectory {
  /** A path to a name in it. */
  at: (name: string) => string;
  /** Syncs its names to the disk. */
  sync: () => Promise<void>;
  /** Whether it is still where it was found. */
  isInPlace: () => Promise<boolean>;
  close: () => Promise<void>;
}

/**
 * Goes from `root` down the names, following no link, and creates missing directories if asked to; undefined
 * if one is missing. On Linux every step goes through the descriptor of the directory before, and paths in it lead
 * through its own, wherever it is moved. Elsewhere a swap is noticed, not prevented. Throws PATH_NOT_ALLOWED at a link.
 */
export async function pinDirectory(
  root: string,
  names: readonly string[],
  make: boolean,
): Promise<PinnedDirectory | undefined> {
  const hasDescriptors = await access('/proc/self/fd').then(
    () => true,
    () => false,
  );
  return hasDescriptors ? byDescriptor(root, names, make) : byPath(root, names, make);
}

async function byDescriptor(
  root: string,
  names: readonly string[],
  make: boolean,
): Promise<PinnedDirectory | undefined> {
  let handle = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  const pathOf = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`;
  try {
    const place = path.join(await readlink(pathOf(handle)), ...names);
    for (const name of names) {
      const next = await enter(`${pathOf(handle)}/${name}`, make);
      await handle.close();
      if (next === undefined) return undefined;
      handle = next;
    }
    const opened = handle;
    return {
      at: (name) => `${pathOf(opened)}/${name}`,
      sync: () => opened.sync(),
      isInPlace: async () => (await readlink(pathOf(opened))) === place,
      close: () => opened.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function enter(directory: string, make: boolean): Promise<FileHandle | undefined> {
  if (make) await makeDirectory(directory);
  try {
    return await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const found = await lstatIfExists(directory);
    if (found?.isSymbolicLink()) throw directorySwapped();
    if (!make && !found?.isDirectory()) return undefined;
    throw error;
  }
}

async function byPath(
  root: string,
  names: readonly string[],
  make: boolean,
): Promise<PinnedDirectory | undefined> {
  const paths = names.map((_, index) => path.join(root, ...names.slice(0, index + 1)));
  const place = path.join(root, ...names);
  /** Identifies the directories. */
  async function identity(): Promise<string | undefined> {
    const found = [];
    for (const each of paths) {
      const info = await lstatIfExists(each);
      if (info?.isSymbolicLink()) throw directorySwapped();
      if (!info?.isDirectory()) return undefined;
      found.push(`${info.dev}:${info.ino}`);
    }
    return found.join();
  }
  if (make) for (const each of paths) await makeDirectory(each);
  const found = await identity();
  if (found === undefined) return undefined;
  return {
    at: (name) => path.join(place, name),
    sync: () => syncDirectory(place),
    isInPlace: async () => (await identity()) === found,
    close: () => Promise.resolve(),
  };
}

async function makeDirectory(directory: string): Promise<void> {
  await mkdir(directory).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
}

export function directorySwapped(): CodegenError {
  return new CodegenError(
    'PATH_NOT_ALLOWED',
    'A directory of the output path was replaced during the write. Nothing was written.',
    { hint: 'Find out which process changes that directory, then try again.' },
  );
}
