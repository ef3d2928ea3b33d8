import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Measured } from './measure.js';
import { results } from './playwright.js';
import type { Timing } from './timing.js';

/** A column of the table: a percentage or a ratio. */
interface Share {
  title: string;
  of: (pages: readonly Measured[]) => { part: number; whole: number };
  /** Shown as a ratio instead of a percentage. */
  isRatio?: true;
  target?: { text: string; isMet: (value: number) => boolean };
}

const count = (pages: readonly Measured[], wanted: (page: Measured) => boolean): number =>
  pages.filter(wanted).length;
const sum = (pages: readonly Measured[], of: (page: Measured) => number): number =>
  pages.reduce((total, page) => total + of(page), 0);
const passes = ({ passes: passed }: Measured): boolean => passed > 0;

const shares: Share[] = [
  {
    title: 'pass as recorded',
    of: (pages) => ({ part: count(pages, ({ recordedPasses }) => recordedPasses), whole: pages.length }),
  },
  {
    title: 'emitted',
    of: (pages) => ({ part: count(pages, ({ emitted }) => emitted), whole: pages.length }),
  },
  {
    title: 'pass',
    of: (pages) => ({ part: count(pages, passes), whole: count(pages, ({ emitted }) => emitted) }),
    target: { text: '100 %', isMet: (value) => value === 1 },
  },
  {
    title: 'pass always',
    of: (pages) => ({
      part: count(pages, ({ runs, passes: passed }) => runs > 0 && passed === runs),
      whole: count(pages, ({ emitted }) => emitted),
    }),
    target: { text: '100 %', isMet: (value) => value === 1 },
  },
  {
    title: 'blind',
    of: (pages) => ({
      part: count(pages, ({ blind }) => blind),
      whole: count(pages, (page) => passes(page) && !page.scriptless && !page.tooSlow),
    }),
    target: { text: '<= 10 %', isMet: (value) => value <= 0.1 },
  },
  {
    title: 'steps noticed',
    of: (pages) => ({
      part: sum(pages, ({ removals }) => removals.filter(({ noticed }) => noticed).length),
      whole: sum(pages, ({ removals }) => removals.filter(({ visible }) => visible).length),
    }),
    target: { text: '>= 90 %', isMet: (value) => value >= 0.9 },
  },
  {
    title: 'of all steps',
    of: (pages) => ({
      part: sum(pages, ({ removals }) => removals.filter(({ noticed }) => noticed).length),
      whole: sum(pages, ({ removals }) => removals.length),
    }),
  },
  {
    title: 'assertions/action',
    of: (pages) => ({
      part: sum(pages, ({ assertions }) => assertions),
      whole: sum(pages, ({ actions }) => actions),
    }),
    isRatio: true,
    target: { text: '>= 1', isMet: (value) => value >= 1 },
  },
];

/** Prints the table, writes it to `report.txt` with a list of weaknesses, and everything to `report.json`. */
export async function writeReport(
  measured: readonly Measured[],
  timings: readonly Timing[],
): Promise<boolean> {
  const tests = measured.filter(({ spec }) => spec !== undefined);
  const { lines, isMet } = table(tests);
  const time = timeLines(timings);
  const notes = [
    'pass as recorded: before verification drops volatile assertions; blind: tests that pass with JavaScript disabled, of',
    'those whose steps then behave differently; steps noticed: of those with a visible change; of all steps: of all actions.',
  ];
  const text = [...lines, '', ...notes, '', ...time.lines, '', ...findings(measured)].join('\n');
  await mkdir(results, { recursive: true });
  await writeFile(path.join(results, 'report.txt'), `${text}\n`);
  await writeFile(
    path.join(results, 'report.json'),
    `${JSON.stringify({ pages: measured, timings }, null, 2)}\n`,
  );
  console.log(
    [
      '',
      ...lines,
      '',
      ...notes,
      '',
      ...time.lines,
      '',
      `Weaknesses: ${path.join(results, 'report.txt')}`,
    ].join('\n'),
  );
  return isMet && time.isMet;
}

function table(tests: readonly Measured[]): { lines: string[]; isMet: boolean } {
  const names = [...new Set(tests.map(({ page }) => page.source))];
  const row = (name: string, cells: string[]): string =>
    [
      name.padEnd(20),
      ...cells.map((cell, index) => cell.padStart(Math.max(7, shares[index - 1]?.title.length ?? 0) + 2)),
    ].join('');
  const figures = (pages: readonly Measured[]): string[] => [
    String(pages.length),
    ...shares.map((share) => show(share, share.of(pages))),
  ];
  const verdicts = shares.map(({ of, target }) => {
    const { part, whole } = of(tests);
    return target === undefined || whole === 0 || target.isMet(part / whole);
  });
  const lines = [
    row('', ['tests', ...shares.map(({ title }) => title)]),
    ...names.map((name) => row(name, figures(tests.filter(({ page }) => page.source === name)))),
    row('all', figures(tests)),
    row('target', ['', ...shares.map(({ target }) => target?.text ?? '')]),
    row('', [
      '',
      ...shares.map(({ target }, index) => (target === undefined ? '' : verdicts[index] ? 'ok' : 'MISSED')),
    ]),
  ];
  return { lines, isMet: verdicts.every(Boolean) };
}

function show({ isRatio }: Share, { part, whole }: { part: number; whole: number }): string {
  if (whole === 0) return '-';
  return isRatio ? (part / whole).toFixed(2) : `${((100 * part) / whole).toFixed(0)} %`;
}

function timeLines(timings: readonly Timing[]): { lines: string[]; isMet: boolean } {
  if (timings.length === 0) return { lines: ['Time that verification adds: not measured.'], isMet: true };
  const total = (of: (timing: Timing) => number): number =>
    timings.reduce((all, timing) => all + of(timing), 0);
  const added = total((timing) => timing.addedMs);
  const budget = total((timing) => 2 * timing.testMs + timing.startUpMs);
  const mean = (ms: number): string => `${(ms / timings.length / 1000).toFixed(1)} s`;
  const isMet = added <= budget;
  return {
    lines: [
      `Time that verification adds, mean of ${timings.length} tests: ${mean(added)}; target, twice the test's own run ` +
        `(${mean(total((timing) => timing.testMs))}) plus the startup of Playwright Test (${mean(total((timing) => timing.startUpMs))}): ` +
        `${mean(budget)}: ${isMet ? 'ok' : 'MISSED'}`,
    ],
    isMet,
  };
}

/** Weaknesses, page by page. */
function findings(measured: readonly Measured[]): string[] {
  const list = (title: string, entries: string[][]): string[] =>
    entries.length === 0
      ? []
      : [`${title} (${entries.length})`, ...entries.map((lines) => `  ${lines.join('\n    ')}`), ''];
  const specs = measured.filter(({ spec }) => spec !== undefined);
  const failing = (of: 'recorded' | 'emitted'): string[][] =>
    specs.flatMap(({ page, passes: passed, runs, failures }) =>
      failures
        .filter((failure) => failure.of === of)
        .map(({ at, code, message }) => [
          `${page.name}${of === 'emitted' ? `: ${passed} of ${runs} pass` : ''}  ${at}`,
          code,
          ...message.split('\n').filter(Boolean).slice(0, 8),
        ]),
    );
  return [
    ...list('Emitted tests that fail', failing('emitted')),
    ...list(
      'Rejected by verification',
      specs
        .filter(({ emitted }) => !emitted)
        .map(({ page, answer }) => [page.name, ...answer.split('\n').slice(0, 12)]),
    ),
    ...list(
      'Blind',
      specs.filter(({ blind }) => blind).map(({ page, spec = '' }) => [page.name, spec]),
    ),
    ...list(
      'Steps with a visible change whose removal no test notices',
      specs.flatMap(({ page, spec = '', removals }) =>
        removals
          .filter(({ noticed, visible }) => visible && !noticed)
          .map(({ line, code }) => [`${page.name}  ${spec}:${line}`, code]),
      ),
    ),
    ...list(
      'Assertions that verification dropped',
      specs.filter(({ dropped }) => dropped.length > 0).map(({ page, dropped }) => [page.name, ...dropped]),
    ),
    ...list('Recorded tests that fail before verification', failing('recorded')),
    ...list(
      'Steps without a visible change',
      specs.flatMap(({ page, removals }) =>
        removals.filter(({ visible }) => !visible).map(({ line, code }) => [`${page.name}:${line}  ${code}`]),
      ),
    ),
    ...list(
      'Too slow for the short timeouts of damaged tests',
      specs.filter(({ tooSlow }) => tooSlow).map(({ page }) => [page.name]),
    ),
    ...list(
      'Pass with JavaScript disabled, and every step behaves the same',
      specs.filter(({ scriptless }) => scriptless).map(({ page }) => [page.name]),
    ),
    ...list(
      'Pages without a test',
      measured
        .filter(({ spec }) => spec === undefined)
        .map(({ page, answer }) => [page.name, answer.split('\n')[0] ?? '']),
    ),
  ];
}
