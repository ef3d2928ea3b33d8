import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson } from '../model/json.js';
import { sha256 } from '../model/text.js';
import type { StateStore } from '../state/store.js';
import { fileName, fileNumbers, logName } from './audit-files.js';
import type { Chain } from './chain.js';

interface LogFile {
  name: string;
  text: string;
}

/** The files of the log, the oldest first. The newest is read under the log's name, where people find and change it. */
export function* logFiles(directory: string): Generator<LogFile> {
  const names = statSync(directory, { throwIfNoEntry: false }) ? fileNumbers(directory).map(fileName) : [];
  const log = path.join(directory, logName);
  if (statSync(log, { throwIfNoEntry: false })) names.splice(-1, 1, logName);
  for (const name of names) yield { name, text: readFileSync(path.join(directory, name), 'utf8') };
}

const lineSchema = z.looseObject({ line: z.number(), prev: z.string() });

/** A line as it was read; undefined if it is none. */
export function readLine(text: string): z.infer<typeof lineSchema> | undefined {
  return lineSchema.safeParse(parseJson(text)).data;
}

/** What is wrong with the hash chain in the files, compared with the state; empty if nothing was altered. */
export function verifyChain(files: Iterable<LogFile>, { count, head, pending }: Chain): string[] {
  const findings: string[] = [];
  const missing = new Set<number>();
  let last = { line: 0, hash: '' };
  let torn: string | undefined;
  for (const { name, text } of files) {
    if (torn !== undefined) findings.push(`${torn} is incomplete: its end was cut off.`);
    const lines = text.split('\n');
    torn = lines.pop() === '' ? undefined : `The last line of ${name}`;
    for (const [index, line] of lines.entries()) {
      const read = readLine(line);
      if (read === undefined)
        findings.push(`Row ${index + 1} of ${name} is not a log line: altered or inserted.`);
      else if (read.line <= last.line)
        findings.push(
          missing.delete(read.line)
            ? `Line ${read.line} follows line ${last.line}: reordered.`
            : `Line ${read.line} follows line ${last.line}: inserted, or the log was restarted.`,
        );
      else {
        if (read.line === last.line + 1 && read.prev !== last.hash)
          findings.push(
            last.line === 0
              ? 'Line 1 is not the start of the log: altered.'
              : `Line ${last.line} was altered.`,
          );
        for (const line of between(last.line, read.line - 1)) missing.add(line);
        last = { line: read.line, hash: sha256(line) };
      }
    }
  }
  findings.push(...spans(missing).map((lines) => `${lines} missing.`));
  if (torn !== undefined)
    findings.push(
      `${torn} is incomplete: its write was interrupted, or it was cut off. The state counts ${count} lines; ${last.line} are complete.`,
    );
  else if (last.line === count && last.hash !== head) findings.push(`Line ${count}, the last, was altered.`);
  findings.push(
    ...spans(between(count, last.line)).map(
      (lines) => `${lines} not counted in the state: appended, or the state was removed.`,
    ),
  );
  const cut = between(last.line, count);
  const held = [...cut].every((line) => pending.some((each) => each.line === line));
  const hint = held ? ' The state has a copy, which the next call writes again.' : '';
  findings.push(...spans(cut).map((lines) => `${lines} cut off at the end.${hint}`));
  return findings;
}

/** The numbers after `first`, up to `last`. */
function between(first: number, last: number): Set<number> {
  return new Set(Array.from({ length: Math.max(0, last - first) }, (_, index) => first + 1 + index));
}

/** `Line 3 is`, `Lines 5 to 9 are`. */
function spans(numbers: ReadonlySet<number>): string[] {
  return [...numbers]
    .filter((number) => !numbers.has(number - 1))
    .map((first) => {
      let last = first;
      while (numbers.has(last + 1)) last++;
      return first === last ? `Line ${first} is` : `Lines ${first} to ${last} are`;
    });
}

const maxAttempts = 10;

/** Checks the log in `directory` against the state, at a moment when no line is on its way. */
export async function verifyLog(
  directory: string,
  store: StateStore<Chain>,
): Promise<{ count: number; findings: string[] }> {
  for (let attempt = 1; ; attempt++) {
    const chain = await store.read();
    const findings = [...verifyChain(logFiles(directory), chain), ...checkName(directory, chain)];
    const isSettled = (await store.read()).count === chain.count;
    // A running process may have counted a line that it is about to write.
    if (attempt === maxAttempts || (findings.length === 0 && isSettled))
      return { count: chain.count, findings };
    await setTimeout(20);
  }
}

/** The log's name must belong to the file that is written to. */
function checkName(directory: string, { count, file }: Chain): string[] {
  if (count === 0) return [];
  const [named, written] = [logName, fileName(file)].map((name) =>
    statSync(path.join(directory, name), { throwIfNoEntry: false }),
  );
  if (named === undefined) return [`${logName} was removed.`];
  return named.ino === written?.ino ? [] : [`${logName} was replaced by another file.`];
}
