import assert from 'node:assert/strict';
import { z } from 'zod';
import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { openAudit, type Audit } from '../../src/guard/audit.js';
import { writePending } from '../../src/guard/audit-files.js';
import { verifyChain, logFiles, verifyLog } from '../../src/guard/audit-verify.js';
import { sha256 } from '../../src/model/text.js';
import { beginLine, emptyChain, endLine, type Chain } from '../../src/guard/chain.js';
import { openState } from '../../src/guard/state.js';
import { processName } from '../../src/state/process-name.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';

const allowed = { kind: 'allowed', rule: 'default' } as const;
const holder = processName();

function open(directory = test.info().outputPath('.codegen'), failMode: 'open' | 'closed' = 'closed') {
  const { audit: store } = openState({ directory });
  const audit = openAudit({
    directory,
    store,
    caller: { grant: 'local', connection: 'one' },
    failMode: () => failMode,
  });
  return {
    directory,
    store,
    audit,
    log: path.join(directory, 'audit.jsonl'),
    verify: () => verifyLog(directory, store).then(({ findings }) => findings),
  };
}

async function call(audit: Audit, tool = 'end'): Promise<void> {
  const audited = audit.call({ tool });
  await audited.begin(allowed);
  await audited.end({ files: [] });
}

const linesOf = (file: string): Record<string, unknown>[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));

/** A chain of so many calls, each of them longer by a text, and the texts of its files. */
function written(count: number, longer = ''): { chain: Chain; files: string[] } {
  let chain = emptyChain;
  const files: string[][] = [];
  for (let number = 1; number <= count; number++) {
    chain = beginLine(chain, 'id', { event: 'call', time: `t${number}${longer}` }, holder).state;
    chain = endLine(chain, 'id', { tool: 'end' }, { known: Infinity }).state;
    (files[chain.file - 1] ??= []).push(chain.pending[0]?.text ?? '');
  }
  return { chain, files: files.map((texts) => texts.join('')) };
}

const named = (files: string[]) => files.map((text, index) => ({ name: `audit-${index + 1}.jsonl`, text }));

test('several processes write one chain, each line once, and every counted line is in the file', async () => {
  const { directory, log, verify } = open();
  const all = Array.from({ length: 4 }, () => open(directory).audit);
  for (let round = 0; round < 5; round++)
    await Promise.all(all.flatMap((audit, index) => [call(audit, `a${index}`), call(audit, `b${index}`)]));
  const lines = linesOf(log);
  expect(lines.map(({ line }) => line)).toEqual(Array.from({ length: 44 }, (_, index) => index + 1));
  expect(lines.filter(({ event }) => event === 'start')).toHaveLength(4);
  expect(lines.filter(({ tool }) => tool === 'b2')).toHaveLength(5);
  expect(lines[30]).toMatchObject({ event: 'call', grant: 'local', connection: 'one', decision: 'allowed' });
  expect(await verify()).toEqual([]);
});

test('lines counted before a kill are written by the next process, and begun calls are reported', async () => {
  const { audit, store, log, verify, directory } = open();
  await call(audit);
  const dead = holder.replace(/^\d+/, '999999999');
  const begun = { event: 'call', time: 'then', tool: 'record' };
  await store.update((chain) => beginLine(chain, 'one', begun, dead));
  await store.update((chain) => endLine(chain, 'one', { error: 'counted' }, { known: 0 }));
  await store.update((chain) => beginLine(chain, 'two', begun, dead));
  appendFileSync(log, '{"li');
  expect(await verify()).toEqual([
    expect.stringContaining('is incomplete'),
    'Line 3 is cut off at the end. The state has a copy, which the next call writes again.',
  ]);
  await open(directory).audit.start();
  expect(linesOf(log).slice(2)).toMatchObject([
    { event: 'call', error: 'counted' },
    { event: 'call', tool: 'record', interrupted: true },
    { event: 'recovery', calls: 1 },
    { event: 'start' },
  ]);
  expect(await verify()).toEqual([]);
});

test('a process that was stopped for long changes nothing when it resumes', async () => {
  const { audit, store, directory, log, verify } = open();
  await call(audit);
  const stale = await store.read();
  for (let round = 0; round < 3; round++) await call(audit);
  const text = readFileSync(log, 'utf8');
  writePending(directory, stale);
  expect(readFileSync(log, 'utf8')).toBe(text);
  expect(await verify()).toEqual([]);
});

test('a full file is followed by one that starts with its last hash', () => {
  const { chain, files } = written(14_000, 'x'.repeat(1200));
  expect(files).toHaveLength(2);
  expect(files[0]?.length).toBeLessThanOrEqual(16 * 1024 * 1024);
  const last = files[0]?.trimEnd().split('\n').at(-1) ?? '';
  expect(files[1]?.split('\n')[0]).toContain(`"prev":"${sha256(last)}"`);
  expect(verifyChain(named(files), chain)).toEqual([]);
  expect(verifyChain(named(files.slice(1)), chain)[0]).toMatch(/^Lines 1 to \d+ are missing\.$/);
});

test('verify reports how the log was changed', () => {
  const { chain, files } = written(5);
  const lines = (files[0] ?? '').trimEnd().split('\n');
  const [one = '', two = '', three = '', four = '', five = ''] = lines;
  const forged = JSON.stringify({ line: 3, prev: sha256(two), event: 'call' });
  const check = (...texts: string[]) =>
    verifyChain(named([texts.map((text) => `${text}\n`).join('')]), chain);
  expect(check(...lines)).toEqual([]);
  expect(check(one, two.replace('t2', 't9'), three, four, five)).toEqual(['Line 2 was altered.']);
  expect(check(one, two, three, four, five.replace('t5', 't9'))).toEqual(['Line 5, the last, was altered.']);
  expect(check(one, two, four, five)).toEqual(['Line 3 is missing.']);
  expect(check(four, five)).toEqual(['Lines 1 to 3 are missing.']);
  expect(check(one, three, two, four, five)).toEqual(['Line 2 follows line 3: reordered.']);
  expect(check(one, two, forged, three, four, five)).toContain(
    'Line 3 follows line 3: inserted, or the log was restarted.',
  );
  expect(check(one, two, 'x', three, four, five)).toEqual([
    expect.stringContaining('Row 3 of audit-1.jsonl'),
  ]);
  expect(check(one, two, three)).toEqual([expect.stringContaining('Lines 4 to 5 are cut off at the end.')]);
  expect(check(...lines, JSON.stringify({ line: 6, prev: sha256(five) }))).toEqual([
    'Line 6 is not counted in the state: appended, or the state was removed.',
  ]);
  const torn = verifyChain(named([`${lines.slice(0, 4).join('\n')}\n${five.slice(0, 9)}`]), chain);
  expect(torn).toEqual([
    expect.stringContaining('is incomplete'),
    expect.stringContaining('Line 5 is cut off'),
  ]);
});

test('no change of a line, or of their order, goes unnoticed', () => {
  const { chain, files } = written(12);
  const text = files[0] ?? '';
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 40 }), (at, length, instead) => {
      const changed = text.slice(0, at) + instead + text.slice(at + length);
      assert.equal(verifyChain(named([changed]), chain).length > 0, changed !== text);
    }),
    { numRuns: runs(2_000) },
  );
});

test('a log that others changed is left unchanged, and a new one continues', async () => {
  const { audit, directory, log, verify } = open();
  const numbered = () => readdirSync(directory).filter((name) => name.startsWith('audit'));
  await call(audit);
  appendFileSync(log, 'mine\n');
  await call(audit);
  expect(numbered()).toEqual(['audit-1.jsonl', 'audit-2.jsonl', 'audit.jsonl']);
  expect(linesOf(log)).toMatchObject([{ line: 3, event: 'call' }]);
  expect(await verify()).toEqual([expect.stringMatching(/^Row 3 of audit-1\.jsonl/)]);

  writeFileSync(log, '');
  await call(audit);
  expect(linesOf(log)).toMatchObject([{ line: 3 }, { line: 4 }]);
  for (const name of numbered()) rmSync(path.join(directory, name));
  expect(await verify()).toContain('audit.jsonl was removed.');
  await call(audit);
  expect(linesOf(log).map(({ line }) => line)).toEqual([4, 5]);

  const text = readFileSync(log, 'utf8');
  rmSync(log);
  writeFileSync(log, text.replace('"line":5', '"line":6'));
  expect(await verify()).toContain('audit.jsonl was replaced by another file.');
  await call(audit);
  expect(linesOf(log).map(({ line }) => line)).toEqual([4, 5, 6]);
  expect([...logFiles(directory)].map(({ name }) => name)).toContain('audit.jsonl');
});

test("a call that can't be recorded does not begin, unless the fail mode is open; its line stays pending until it is written", async () => {
  const { audit, directory, log, verify } = open();
  await call(audit);
  const late = audit.call({ tool: 'late' });
  await late.begin(allowed);
  rmSync(log);
  mkdirSync(log);
  await late.end({ files: [] });
  await expect(audit.call({ tool: 'next' }).begin(allowed)).rejects.toMatchObject({
    code: 'WRITE_FAILED',
    message: expect.stringContaining("The audit log can't be written"),
  });
  await open(directory, 'open').audit.call({ tool: 'open' }).begin(allowed);
  rmSync(log, { recursive: true });
  await call(audit);
  expect(linesOf(log).map(({ tool, event }) => tool ?? event)).toEqual(
    expect.arrayContaining(['late', 'end']),
  );
  expect(await verify()).toEqual([]);
});
