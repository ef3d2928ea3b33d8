import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { errorCode } from '../state/files.js';
import type { Chain } from './chain.js';

/** The log, by the name that people know it by; the file itself has a number. */
export const logName = 'audit.jsonl';

export function fileName(number: number): string {
  return `audit-${number}.jsonl`;
}

/** The numbers of the existing files, in order. */
export function fileNumbers(directory: string): number[] {
  return readdirSync(directory)
    .flatMap((name) => /^audit-(\d+)\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Whether a file is as the chain left it: `short` if something has been cut off, `long` if others wrote to it. */
type Shape = 'whole' | 'short' | 'long';

/**
 * Writes all pending lines at their positions. Any process may repeat this, since it writes the same bytes at the same
 * positions. Then links the log's name to the newest file, so that a process that was suspended never takes a name from
 * a file. Throws the errors of the file system.
 */
export function writePending(directory: string, chain: Chain): Shape {
  for (const number of new Set(chain.pending.map(({ file }) => file)))
    if (number !== chain.file) writeLines(directory, chain, number);
  const shape = writeLines(directory, chain, chain.file);
  if (shape === 'whole') nameLog(directory, chain.file);
  return shape;
}

function writeLines(directory: string, { pending, file, bytes }: Chain, number: number): Shape {
  const flags = constants.O_WRONLY | constants.O_CREAT;
  const handle = openSync(path.join(directory, fileName(number)), flags, 0o600);
  try {
    const lines = pending.filter((each) => each.file === number);
    const [first = { at: number === file ? bytes : 0 }] = lines;
    if (number === file && fstatSync(handle).size < first.at) return 'short';
    for (const { at, text } of lines) writeWhole(handle, Buffer.from(text), at);
    return number === file && fstatSync(handle).size > bytes ? 'long' : 'whole';
  } finally {
    closeSync(handle);
  }
}

function writeWhole(handle: number, data: Buffer, at: number): void {
  for (let written = 0; written < data.length;)
    written += writeSync(handle, data, written, data.length - written, at + written);
}

const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Gives a file the log's name too: as a hard link, else as a symbolic one; not if the file system has neither. */
function nameLog(directory: string, number: number): void {
  const log = path.join(directory, logName);
  const file = path.join(directory, fileName(number));
  const named = statSync(log, { throwIfNoEntry: false });
  if (named && named.ino === statSync(file).ino) return;
  const temporary = `${log}.${process.pid}-${randomBytes(6).toString('hex')}`;
  const links = [
    () => {
      linkSync(file, temporary);
    },
    () => {
      symlinkSync(fileName(number), temporary);
    },
  ];
  for (const link of links) {
    try {
      link();
      renameSync(temporary, log);
      return;
    } catch (error) {
      rmSync(temporary, { force: true });
      if (!withoutLinks.includes(errorCode(error) ?? '')) throw error;
    }
  }
}
