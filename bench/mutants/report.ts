import type { Outcome, Tried } from './run.js';
import { versions, type Version } from './specs.js';

/** How many of the mutants a version caught. */
export function countCaught(mutants: readonly Tried[], version: Version): number {
  return mutants.filter(({ caught }) => caught[version]).length;
}

/** The table: caught mutants and assertions of each version, by application and over all. */
export function formatTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => row(outcome.application, outcome.mutants, outcome.assertions));
  const all = outcomes.flatMap(({ mutants }) => mutants);
  const sum = (version: Version): number =>
    outcomes.reduce((total, { assertions }) => total + assertions[version], 0);
  return [
    `| application | mutants | ${versions.join(' | ')} | assertions |`,
    `| --- | --- | ${versions.map(() => '---').join(' | ')} | --- |`,
    ...rows,
    row('all', all, {
      automatic: sum('automatic'),
      'plus eight': sum('plus eight'),
      expert: sum('expert'),
    }),
  ].join('\n');
}

function row(name: string, mutants: readonly Tried[], assertions: Record<Version, number>): string {
  const shares = versions.map((version) => share(countCaught(mutants, version), mutants.length));
  const counts = versions.map((version) => assertions[version]).join(' / ');
  return `| ${name} | ${mutants.length} | ${shares.join(' | ')} | ${counts} |`;
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(0)} % (${part})`;
}

/** Mutants that the expert's test caught and the automatic one did not, one of each place and kind of difference. */
export function tellingMisses({ mutants }: Outcome, limit = 10): Tried[] {
  const seen = new Set<string>();
  return mutants
    .filter(({ caught }) => caught.expert && !caught.automatic)
    .filter(({ step, difference }) => {
      const key = `${step} ${difference}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .slice(0, limit);
}

export function formatMiss({ file, line, mutator, original, replacement, step, difference }: Tried): string {
  const clip = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 80);
  return [
    `${file}:${line} ${mutator}: ${clip(original)} -> ${clip(replacement)}; after step ${step}:`,
    ...difference.split('\n').map((each) => `    ${each}`),
  ].join('\n');
}

/** How often each version passed without a mutant; empty if none was repeated. */
export function formatRepeats(outcomes: readonly Outcome[]): string {
  return outcomes
    .flatMap(({ application, repeats }) =>
      versions.flatMap((version) => {
        const { runs, passed, failures } = repeats[version];
        if (runs === 0) return [];
        return [`${application}, ${version}: ${passed} of ${runs} runs without a mutant pass`, ...failures];
      }),
    )
    .join('\n');
}
