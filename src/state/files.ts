import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CodegenError, messageOf } from '../model/errors.js';

/** The code of a failed system call, such as `ENOENT`; undefined for other errors. */
export function errorCode(error: unknown): string | undefined {
  const isSystem = error instanceof Error && 'errno' in error && 'code' in error;
  return isSystem && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The absolute path of the state directory. Throws CONFIG_INVALID if it contains a link, by which a repository could have
 * files elsewhere written or removed. Only the log has a link, on a file system without hard links.
 */
export async function stateDirectoryOf(workspace: string, dir: string): Promise<string> {
  const directory = path.resolve(workspace, dir);
  const entries = (await readdir(directory, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
  const link = entries.find((entry) => entry.isSymbolicLink() && entry.name !== 'audit.jsonl');
  if (link === undefined) return directory;
  throw new CodegenError('CONFIG_INVALID', `${path.join(directory, link.name)} is a symbolic link.`, {
    hint: 'Remove it. To keep the state elsewhere, set state.dir.',
  });
}

/** Creates the state directory, readable by its owner only and ignored by git. */
export async function ensureStateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await writeFile(path.join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** Creates a file that must not exist yet; its content is on the disk when this returns. */
export async function createDurably(file: string, content: string | Buffer, mode = 0o666): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file atomically. Follows a link and keeps the permissions. Throws WRITE_FAILED. */
export async function replaceFile(file: string, text: string): Promise<void> {
  try {
    const target = await realpath(file).catch(() => file);
    const mode = (await stat(target).catch(() => undefined))?.mode;
    const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomUUID()}.tmp`);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(temporary, text, mode === undefined ? {} : { mode });
    await rename(temporary, target);
  } catch (error) {
    throw new CodegenError('WRITE_FAILED', `${file} could not be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Syncs a file's content to the disk; on Windows, it must be open for writing. */
export async function syncFile(file: string, flags = 'r+'): Promise<void> {
  const handle = await open(file, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs a directory's entries to the disk, if the system supports it. */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    await syncFile(directory, 'r');
  } catch (error) {
    if (!['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP'].includes(errorCode(error) ?? '')) throw error;
  }
}

/** A file's bytes and permissions. Follows no link, and does not block on a pipe or device. */
export async function readWhole(file: string): Promise<{ data: Buffer; mode: number }> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return { data: await handle.readFile(), mode: (await handle.stat()).mode & 0o777 };
  } finally {
    await handle.close();
  }
}

/** Whether a path exists, even as a broken link. */
export async function exists(file: string): Promise<boolean> {
  return (await lstatIfExists(file)) !== undefined;
}

/** Whether two paths are the same file. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = [await lstatIfExists(one), await lstatIfExists(other)];
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

export async function lstatIfExists(file: string): Promise<Stats | undefined> {
  return lstat(file).catch(ignoreMissing);
}

export async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(ignoreMissing)) ?? [];
}

/** For `catch`: a missing file or directory becomes undefined; other errors are thrown. */
export function ignoreMissing(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) throw error;
}

/** Whether a process with this id runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
