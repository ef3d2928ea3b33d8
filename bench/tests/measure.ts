import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from './applications.js';
import { results, runPlaywright, type Configuration, type Run } from './playwright.js';
import type { Recording } from './record.js';
import { parseSpec, watched, without, type Spec, type Statement } from './spec.js';

/** A step that was left out of the test. */
export interface Removal {
  line: number;
  code: string;
  /** Whether the test failed without it. */
  noticed: boolean;
  /** Whether it changed what the page shows; measured only if it was not noticed. */
  visible: boolean;
}

/** The results of one page. */
export interface Measured {
  page: Page;
  /** The server's answer when the session ended. */
  answer: string;
  /** The emitted spec, or the recorded one if the server rejected it; undefined if there is neither. */
  spec: string | undefined;
  emitted: boolean;
  actions: number;
  assertions: number;
  /** Assertions that verification dropped. */
  dropped: string[];
  /** Whether the test passed as it was recorded, before verification. */
  recordedPasses: boolean;
  /** Runs of the emitted test. */
  runs: number;
  passes: number;
  failures: Failure[];
  /** Whether it passes with JavaScript disabled, although some step then behaves differently. */
  blind: boolean;
  /** Whether it passes with JavaScript disabled, and every step behaves the same. */
  scriptless: boolean;
  /** Whether it failed only because of the short timeouts, so that its removals prove nothing. */
  tooSlow: boolean;
  removals: Removal[];
}

export interface Failure {
  /** `recorded`: the test before verification; `emitted`: the test that users get. */
  of: 'recorded' | 'emitted';
  /** Path and line of the spec. */
  at: string;
  /** The code of that line. */
  code: string;
  message: string;
}

/** Short timeouts for tests that are expected to fail. */
const short = {
  // Such tests mostly wait.
  workers: 3,
  expect: { timeout: 2000 },
  use: { actionTimeout: 2000, navigationTimeout: 10_000 },
};

/** Runs the tests unchanged (the emitted ones `repeat` times) and damaged. */
export async function measure(recordings: readonly Recording[], repeat: number): Promise<Measured[]> {
  const tests = recordings.map(({ page, recorded = '', emitted, answer }) => ({
    page,
    answer,
    recorded: parseSpec(recorded),
    spec: parseSpec(emitted ?? recorded),
    emitted: emitted !== undefined,
    file: `${page.name}.spec.ts`,
  }));
  const asRecorded = tests.filter(
    ({ spec, recorded, emitted }) => recorded.source !== '' && (!emitted || spec.source !== recorded.source),
  );
  const emitted = tests.filter((test) => test.emitted);
  const sourcesOf = (some: typeof tests): [string, string][] =>
    some.map(({ file, spec }) => [file, spec.source]);
  const first = await run('as-they-are', [
    { name: 'emitted', specs: sourcesOf(emitted) },
    { name: 'recorded', specs: asRecorded.map(({ file, recorded }) => [file, recorded.source]) },
  ]);
  const of = (all: Run[], project: string, file: string): Run[] =>
    all.filter((each) => each.project === project && each.file.endsWith(`/${file}`));
  const passing = emitted.filter(({ file }) => of(first, 'emitted', file)[0]?.passed);
  const more = await run('repeated', [{ name: 'emitted', specs: repeat > 1 ? sourcesOf(passing) : [] }], {
    repeatEach: repeat - 1,
  });
  const runs = [...first, ...more];

  const damaged = await run(
    'damaged',
    [
      // Shows whether the machine is fast enough for the timeouts.
      { name: 'control', specs: sourcesOf(passing) },
      {
        name: 'javascript-off',
        use: { javaScriptEnabled: false },
        specs: sourcesOf(passing),
      },
      {
        name: 'step-removed',
        specs: passing.flatMap(({ file, spec }) =>
          spec.actions.map((action): [string, string] => [
            nameWithout(file, action),
            without(spec, [action]),
          ]),
        ),
      },
    ],
    short,
  );
  const isBlind = (file: string): boolean => of(damaged, 'javascript-off', file)[0]?.passed ?? false;
  const isNoticed = (file: string, action: Statement): boolean =>
    of(damaged, 'step-removed', nameWithout(file, action))[0]?.passed === false;

  const blind = passing.filter(({ file }) => isBlind(file));
  const unsure = passing.filter(
    (test) => blind.includes(test) || test.spec.actions.some((action) => !isNoticed(test.file, action)),
  );
  const watchedOf = (some: typeof tests): [string, string][] =>
    some.map(({ file, spec }) => [file, watched(spec)]);
  const states = await run('watched', [
    { name: 'on', specs: watchedOf(unsure) },
    { name: 'off', use: { javaScriptEnabled: false }, specs: watchedOf(blind) },
  ]);

  return tests.map(({ page, answer, recorded, spec, emitted: isEmitted, file }) => {
    const own = of(runs, 'emitted', file);
    const before = of(runs, 'recorded', file);
    const [on = [], off = []] = ['on', 'off'].map((project) => of(states, project, file)[0]?.notes);
    const kept = spec.assertions.map(({ code }) => code);
    const effects = effectsIn(spec, on);
    const isSilent = [...effects.values()].join('\n') === [...effectsIn(spec, off).values()].join('\n');
    const scriptless = isBlind(file) && isSilent && on.length > 0;
    const passes = own.filter(({ passed }) => passed).length;
    const isMeasured = of(damaged, 'control', file)[0]?.passed ?? false;
    return {
      page,
      answer,
      spec: spec.source === '' ? undefined : pathOf(isEmitted ? 'emitted' : 'recorded', file),
      emitted: isEmitted,
      actions: spec.actions.length,
      assertions: spec.assertions.length,
      dropped: recorded.assertions.map(({ code }) => code).filter((code) => !kept.includes(code)),
      recordedPasses: (before[0] ?? own[0])?.passed ?? false,
      runs: own.length,
      passes,
      failures: [
        ...failuresOf('recorded', file, recorded, before),
        ...failuresOf('emitted', file, spec, own),
      ],
      blind: isBlind(file) && !scriptless,
      scriptless,
      tooSlow: passes > 0 && !isMeasured,
      removals: isMeasured
        ? spec.actions.map((action) => ({
            line: action.line,
            code: action.code,
            noticed: isNoticed(file, action),
            visible: isNoticed(file, action) || effects.get(action) !== '',
          }))
        : [],
    };
  });
}

interface Project {
  name: string;
  /** Names and sources. */
  specs: [string, string][];
  use?: { [option: string]: boolean };
}

/** Runs projects in one run of Playwright Test, in a new folder. */
async function run(name: string, projects: Project[], options: Configuration = {}): Promise<Run[]> {
  const folder = path.join(results, name);
  await rm(folder, { recursive: true, force: true });
  for (const project of projects) {
    await mkdir(path.join(folder, project.name), { recursive: true });
    for (const [file, source] of project.specs)
      await writeFile(path.join(folder, project.name, file), source);
  }
  if (projects.every(({ specs }) => specs.length === 0)) return [];
  console.log(`Running ${name}: ${projects.map((each) => `${each.specs.length} ${each.name}`).join(', ')}`);
  return runPlaywright(folder, {
    workers: 2,
    timeout: 30_000,
    ...options,
    projects: projects.map(({ specs, ...project }) => ({ ...project, testDir: project.name })),
  });
}

function nameWithout(file: string, { line }: Statement): string {
  return file.replace('.spec.ts', `.line-${line}.spec.ts`);
}

type Form = Failure['of'];

function pathOf(form: Form, file: string): string {
  return path.join(results, 'as-they-are', form, file);
}

/** The first failure, if any, and the line that it happened in. */
function failuresOf(form: Form, file: string, { source }: Spec, runs: Run[]): Failure[] {
  return runs
    .filter(({ passed }) => !passed)
    .slice(0, 1)
    .map(({ line, message }) => ({
      of: form,
      at: `${pathOf(form, file)}:${line}`,
      code: source.split('\n')[line - 1]?.trim() ?? '',
      message,
    }));
}

/** The visible change of each action, from the states after opening the page and after each action. */
function effectsIn({ openings, actions }: Spec, states: readonly string[]): Map<Statement, string> {
  const order = [...openings, ...actions].sort((one, other) => one.start - other.start);
  return new Map(
    actions.map((action) => {
      const index = order.indexOf(action);
      if (states[index] === undefined) return [action, 'not seen'];
      const [before = [], after = []] = [states[index - 1], states[index]].map((state) =>
        viewFor(action, state),
      );
      return [action, before.join('\n') === after.join('\n') ? '' : difference(before, after)];
    }),
  );
}

/** The relevant lines of a state. A click always moves the focus, but moving it may be the whole effect of a key. */
function viewFor({ code }: Statement, state = ''): string[] {
  const irrelevant = code.includes('.press(') ? / \[cursor=pointer\]/g : / \[(?:cursor=pointer|active)\]/g;
  return state.replace(irrelevant, '').split('\n');
}

function difference(before: string[], after: string[]): string {
  const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`);
  const added = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
  return [...gone, ...added].join('\n') || 'another order';
}
