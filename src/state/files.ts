import { open, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** The system's code of a failed file operation (`ENOENT`, …), undefined for every other error. */
export function errnoOf(error: unknown): string | undefined {
  const isSystem = error instanceof Error && 'errno' in error && 'code' in error;
  return isSystem && typeof error.code === 'string' ? error.code : undefined;
}

/** Makes the state directory, readable by its owner alone and ignored by git. */
export async function ensureStateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await writeFile(path.join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
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

/** Puts a directory's names on the disk, on systems and file systems that can. */
export async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** True while a process of this number runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
