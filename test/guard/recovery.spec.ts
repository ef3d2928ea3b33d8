import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../src/model/text.js';
import { mayBeRunning, processName } from '../../src/state/process-name.js';
import { expect, test, connect } from '../fixtures.js';
import { Rows } from '../rows.js';

/** A line of the log; only a recovery names files by their paths. */
const recoverySchema = z.object({ event: z.string(), files: z.array(z.string()).optional() });

const [, , container = '', boot = ''] = processName().split('_');

/** The name of the process that started this one, by its number and the time when it started. */
function nameOfParent(): string {
  const { ppid } = process;
  const stat = readFileSync(`/proc/${ppid}/stat`, 'utf8');
  return [ppid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19], container, boot].join('_');
}

const holders = new Rows();
for (const [name, holder, ageMs, atWork] of [
  ['this process', processName(), 0, true],
  ['another that runs', nameOfParent(), 1e9, true],
  ['one whose number another process has by now', [process.ppid, '1', container, boot].join('_'), 0, false],
  ['one that has ended', ['999999999', '1', container, boot].join('_'), 0, false],
  ['one from before the last boot', [process.ppid, '', container, 'earlier'].join('_'), 0, false],
  ['one of another container, just now', ['1', '1', 'other', boot].join('_'), 1_000, true],
  ['one of another container, a while ago', ['1', '1', 'other', boot].join('_'), 60_000, false],
  ['one of another machine, just now', ['1', '1', container, 'other', 'else'].join('_'), 1_000, true],
  ['one of another machine, a while ago', ['1', '1', container, 'other', 'else'].join('_'), 60_000, false],
  ['one that nobody knows', 'nonsense', 0, false],
] as const)
  holders.add(`${name} ${atWork ? 'may be' : 'is not'} at work`, () => {
    expect(mayBeRunning(holder, ageMs)).toBe(atWork);
  });
test('a writer may be at work if it may be running', () => holders.check());

test('servers that start together settle the remains of dead processes once, and leave live ones alone', async () => {
  const workspace = test.info().outputPath('workspace');
  const output = path.join(workspace, 'generated-tests');
  const journal = path.join(workspace, '.codegen', 'journal');
  for (const directory of [output, journal]) mkdirSync(directory, { recursive: true });
  const dead = ['999999999', '1', container, boot].join('_');
  const record = (id: string) => {
    writeFileSync(path.join(output, `.codegen-${id}-0.new`), 'new');
    const place = { directory: ['generated-tests'], name: `${id}.spec.ts` };
    const file = { ...place, path: `generated-tests/${id}.spec.ts`, sha256: '', backup: `${id}-backup` };
    return JSON.stringify({ made: [], links: true, files: [file] });
  };
  const live = `a1.${nameOfParent()}.open`;
  writeFileSync(path.join(journal, live), record('a1'));
  const left = Array.from({ length: 40 }, (_, index) => `b${index}`);
  for (const id of left) writeFileSync(path.join(journal, `${id}.${dead}.open`), record(id));
  writeFileSync(path.join(journal, `a3.${dead}.new`), '{"ma');
  writeFileSync(path.join(journal, `a4.${dead}.open`), '{"ma');
  writeFileSync(path.join(output, '.codegen-notes.txt'), 'mine');
  // A repository can contain pages of the journal, which must not lead to other files.
  const elsewhere = path.join(workspace, '../elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(path.join(elsewhere, 'known.txt'), 'known');
  writeFileSync(path.join(output, '.codegen-c1-0.old'), 'from the repository');
  const planted = (id: string, links: boolean, place: object): void => {
    const files = [{ path: 'a.spec.ts', sha256: sha256('known'), ...place }];
    writeFileSync(path.join(journal, `${id}.${dead}.open`), JSON.stringify({ made: [], links, files }));
  };
  planted('c1', true, { directory: ['generated-tests'], name: '../../elsewhere/created.txt' });
  planted('c2', false, { directory: ['..', 'elsewhere'], name: 'known.txt' });
  const servers = await Promise.all(Array.from({ length: 3 }, () => connect(workspace)));
  for (const server of servers) await server.close();
  expect(readdirSync(journal)).toEqual([live]);
  expect(readdirSync(output).sort()).toEqual([
    '.codegen-a1-0.new',
    '.codegen-c1-0.old',
    '.codegen-notes.txt',
  ]);
  expect(readdirSync(elsewhere)).toEqual(['known.txt']);
  const lines = readFileSync(path.join(workspace, '.codegen', 'audit.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const settled = lines.map((line) => recoverySchema.parse(JSON.parse(line)).files ?? []);
  expect(settled.flat().sort()).toEqual(left.map((id) => `generated-tests/${id}.spec.ts`).sort());
});
