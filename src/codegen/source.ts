import path from 'node:path';
import { expectThat, run, value, variable, type CodeStep, type Statement } from '../model/code.js';
import type { Step } from '../model/step.js';
import type { Json } from '../model/json.js';
import { referencesIn } from '../model/template.js';
import type { BaseSpec } from './base-spec.js';
import { locatorOf, statementsOf, type EmittedStep, type PageCall } from './emitter.js';
import { generate, type Chunk, type GenerateInput, type HookGroup, type PageObjectUse } from './generate.js';
import { importsOf } from './imports.js';
import { hasWord, type Uniques } from './rows.js';
import { camelCase, createNames, wordsOf } from './identifiers.js';
import { emitNamed } from './named-locators.js';
import type { OwnStart } from './own-fixtures.js';
import type { Unchecked } from './own-matches.js';
import type { OwnPage } from './own-pages.js';
import type { ExistingPage } from './page-shelf.js';
import type { TestTemplate } from './templates.js';

/** A test that is not written but only run, to learn something from it. */
export interface Variant {
  /** Automatic assertions that fail don't end the run, so that all that fail are found. */
  soft?: boolean;
  /** Index of a step whose action is left out; its automatic assertions stay, and don't end the run. */
  without?: number;
  /** Calls this global function before each step, to take a picture. */
  pictures?: string | undefined;
}

/** The origin of a line of a test. */
export interface Origin {
  /** Index of the step. */
  step: number;
  /** Index among the step's automatic assertions; undefined for its action. */
  assertion?: number;
  /** If the line calls a method of a page object: the steps of that method's lines. */
  within?: ReadonlyMap<number, number>;
}

interface TestInput extends Pick<
  GenerateInput,
  | 'language'
  | 'title'
  | 'includeComments'
  | 'describe'
  | 'setup'
  | 'tags'
  | 'annotations'
  | 'data'
  | 'testModule'
  | 'base'
  | 'style'
> {
  template: TestTemplate;
  /** The argument of `test.use`. */
  use: { [option: string]: Json };
  /** The test's path in the workspace. */
  spec: string;
  /** Relative URLs start from here. */
  baseURL: string | undefined;
  steps: readonly CodeStep[];
  /** Names of the secrets that the test needs. */
  secrets: readonly string[];
  /** Words that are new in every run, by the names that the agent gave them. */
  uniques: Uniques;
  /** The existing page objects, by their names without extension. */
  pages: ReadonlyMap<string, ExistingPage>;
  /** HARs, which the test replays from the step at that index on. */
  har?: readonly { path: string; before: number }[] | undefined;
  /** Page objects that a person wrote. */
  ownPages?: readonly OwnPage[] | undefined;
  /** What fixtures do to the page before every test. */
  starts?: readonly OwnStart[] | undefined;
}

interface TestSource {
  source: string;
  /** The origin of each line, by line number; the first line has number 1. */
  origins: ReadonlyMap<number, Origin>;
  /** Files that the test needs, by their paths in the workspace. */
  files: string[];
  pages: TestPage[];
  /** See `generate`. */
  staged?: string;
  warnings: string[];
  unchecked: Unchecked[];
}

/** A page object that a test uses. */
interface TestPage {
  /** The file's name without its extension. */
  name: string;
  source: string;
  /** False for one that a person changed, which is used as it is. */
  isOurs: boolean;
}

interface PageStory {
  emitted: EmittedStep[];
  made: PageObjectUse[];
  pages: TestPage[];
  /** The step of each line of a called method. */
  linesOf: (call: PageCall) => Map<number, number> | undefined;
  warnings?: string[];
  unchecked?: Unchecked[];
}

/** The test of a session, or a variant of it. Throws FILE_CHANGED if a page object that a person changed lacks something. */
export async function writeTest(
  input: TestInput,
  { soft = false, without, pictures }: Variant = {},
): Promise<TestSource> {
  const { template, steps } = input;
  const uniques = variablesOf(steps, input.uniques);
  // Methods that several steps share could not leave out one of them.
  const hasPages = template.hasPages && without === undefined && input.base === undefined;
  const taken = input.base && (await import('./base-spec.js')).identifiersIn(input.base);
  const own =
    without === undefined && !hasPages
      ? await ownStory(input, [...(taken ?? []), ...Object.keys(uniques)])
      : undefined;
  const {
    emitted,
    made,
    pages,
    linesOf,
    warnings = [],
    unchecked = [],
  }: PageStory = hasPages
    ? await pageStory(input, uniques)
    : (own ?? {
        emitted: emitNamed(steps, { uniques, taken }),
        made: [],
        pages: [],
        linesOf: () => undefined,
      });
  const chunks = chunksOf(steps, emitted, linesOf, (index) => ({
    soft: soft || index === without,
    acts: index !== without,
    picture: pictures === undefined ? [] : pictureBefore(pictures, steps, index, emitted[index]?.page),
  }));
  const all: OriginChunk[] = [
    ...[...slowness(steps), ...input.secrets.map(secretCheck), ...Object.keys(uniques).map(uniqueWord)].map(
      (chunk) => ({
        ...chunk,
        hook: chunks[0]?.hook,
      }),
    ),
    ...withHars(chunks, input.har),
  ];
  // ESLint's rules for Playwright want hooks above the test.
  const body = [...all.filter(({ hook }) => hook), ...all.filter(({ hook }) => !hook)];
  const { source, statements, files, staged } = await generate({
    ...input,
    uniques,
    body,
    pageObjects: made,
  });
  const origins = [...statements].flatMap(([line, statement]) => {
    const origin = body[statement]?.origin;
    return origin === undefined ? [] : [[line, origin] as const];
  });
  return {
    source,
    origins: new Map(origins),
    files,
    pages,
    warnings,
    unchecked,
    ...(staged === undefined ? {} : { staged }),
  };
}

interface OriginChunk extends Chunk {
  origin?: Origin | undefined;
}

/** Takes a picture before a step, unless it has nothing to do with a page. Fields that were given a secret are hidden. */
function pictureBefore(taker: string, steps: readonly CodeStep[], index: number, page = 'page'): Statement[] {
  const { locator, traits } = steps[index] ?? {};
  if (locator === undefined && traits?.kind !== 'mutates' && traits?.asserts !== true) return [];
  const own = steps[index]?.page;
  const hidden = steps
    .slice(0, index)
    .filter((step) => step.page === own && referencesIn([step.args]).length > 0)
    .flatMap((step) => (step.locator === undefined ? [] : [locatorOf(step.locator, page)]));
  const mask = { kind: 'list', items: hidden } as const;
  return [run(variable('globalThis'), taker, variable(page), value(index), mask)];
}

/** The chunks of all steps; `how` says whether a step acts, whether its assertions are soft, and what comes before it. */
function chunksOf(
  steps: readonly CodeStep[],
  emitted: readonly EmittedStep[],
  linesOf: PageStory['linesOf'],
  how: (index: number) => { acts: boolean; soft: boolean; picture: Statement[] },
): OriginChunk[] {
  let group: string | undefined;
  let hook: HookGroup | undefined;
  let notes: string[] = [];
  return steps.flatMap((step, index): OriginChunk[] => {
    const { groupTitle, hook: method } = step;
    if (groupTitle !== undefined) {
      group = method === undefined ? groupTitle : undefined;
      hook = method && { method, title: groupTitle };
    }
    const code = emitted[index];
    if (code === undefined) return [];
    if (code.note !== undefined) notes.push(code.note);
    const { acts, soft, picture } = how(index);
    const origin = { step: index };
    const named = (names: readonly Statement[]): OriginChunk[] =>
      names.map((each) => ({ code: [each], group, hook, origin }));
    // What a group begins with is for several groups.
    if (groupTitle !== undefined) return code.names.map((each) => ({ code: [each], origin }));
    const statements = statementsOf(acts ? code : { ...code, action: [] });
    const note = notes.length === 0 ? undefined : notes.join('\n');
    // The note of a step without a statement is above the next statement.
    if (statements.length > 0) notes = [];
    const within = code.calls && linesOf(code.calls);
    const own = { group, hook, origin: { ...origin, ...(within === undefined ? {} : { within }) } };
    return [
      ...(statements.length === 0 || picture.length === 0 ? [] : [{ code: picture, group, hook }]),
      ...named(code.names),
      ...(statements.length === 0 ? [] : [{ ...own, code: statements, note }]),
      ...named(code.assertedNames),
      ...code.assertions.map((assertion, number) => ({
        code: soft ? assertion.map(softened) : assertion,
        group,
        hook,
        origin: { ...origin, assertion: number },
      })),
      ...code.last.map((each) => ({ ...own, code: [each], follows: true })),
    ];
  });
}

/** The chunks, and before them, or before that of a step, that a HAR is replayed. */
function withHars(chunks: readonly OriginChunk[], hars: TestInput['har'] = []): OriginChunk[] {
  const result = [...chunks];
  for (const { path, before } of [...hars].reverse()) {
    const found = before === 0 ? 0 : chunks.findIndex(({ origin }) => (origin?.step ?? -1) >= before);
    const at = found === -1 ? chunks.length : found;
    const { group, hook } = chunks[at] ?? {};
    const options = before === 0 ? [] : [value({ notFound: 'fallback' })];
    const replay = run(variable('context'), 'routeFromHAR', { kind: 'file', path }, ...options);
    result.splice(at, 0, { code: [replay], group, hook });
  }
  return result;
}

function softened(statement: Statement): Statement {
  return statement.kind === 'expect' && statement.retries === 'assertion'
    ? { ...statement, soft: true }
    : statement;
}

/** A session's steps as code that uses page objects of a person's; undefined if it can use none. */
async function ownStory(
  { steps, ownPages = [], starts = [], spec, har = [], base }: TestInput,
  taken: readonly string[],
): Promise<PageStory | undefined> {
  if (ownPages.length === 0 && starts.length === 0) return undefined;
  const { planOwnStory } = await import('./own-story.js');
  const pages = base === undefined ? ownPages : await pagesAt(base, ownPages, steps);
  const isFirst = base === undefined && har.length === 0;
  const story = planOwnStory(steps, pages, {
    spec,
    starts: isFirst ? starts : undefined,
    taken,
  });
  return story && { ...story, pages: [] };
}

/** The page objects that the test of a base spec has at its place, and those that a fixture gives it there. */
async function pagesAt(
  base: BaseSpec,
  pages: readonly OwnPage[],
  steps: readonly CodeStep[],
): Promise<OwnPage[]> {
  const { objectsIn } = await import('./base-spec.js');
  const { fixtures: requested, made, imported } = objectsIn(base);
  const hasHooks = steps.some(({ hook }) => hook !== undefined);
  return pages.flatMap(({ fixtures = [], ...page }) => {
    if (page.isHelper === true) return imported.has(page.className) ? [page] : [];
    // A hook has not the variables of the test.
    const own = hasHooks ? undefined : made.get(page.className);
    const known = own === undefined ? fixtures.find(({ name }) => requested.has(name))?.name : own;
    const given = known === undefined ? fixtures.filter(({ setup }) => setup.length === 0) : [];
    const usable = known === undefined ? given : [{ name: known, setup: [] }];
    return usable.length === 1 ? [{ ...page, fixtures: usable }] : [];
  });
}

/** A session's steps as code that uses page objects, and these. */
async function pageStory(input: TestInput, uniques: Uniques): Promise<PageStory> {
  const { language, template, steps, baseURL, style } = input;
  const { moduleOf, planStory } = await import('./page-objects.js');
  const { generatePage } = await import('./page-object.js');
  const { matchedLines } = await import('./own-story.js');
  const { useOf } = await import('./own-uses.js');
  const { spec, ownPages = [] } = input;
  const besideSpec = path.posix.join(path.posix.dirname(spec), moduleOf({ file: 'any' }));
  const importOf = (page: OwnPage): string => {
    const {
      className,
      from,
      isDefault = false,
    } = useOf(page, { spec: besideSpec, variable: '', isFixture: false });
    const names = isDefault ? { default: className } : { names: [className] };
    return importsOf([{ from, ...names }], input)
      .map(({ code }) => code)
      .join('\n');
  };
  const story = planStory(steps, baseURL, {
    existing: input.pages,
    uniques,
    own: { pages: ownPages.filter((page) => page.isHelper !== true), importOf },
  });
  const generated = new Map(
    await Promise.all(
      story.pages.map(async (page) => [page, await generatePage(template, language, page, style)] as const),
    ),
  );
  return {
    emitted: story.emitted,
    warnings: story.warnings,
    unchecked: story.unchecked,
    made: [
      ...story.made.map(({ variable, page }) => ({
        variable,
        className: page.className,
        from: moduleOf(page),
      })),
      ...story.ownMade.map(({ page, ...use }) => useOf(page, { spec, ...use })),
    ],
    pages: [...generated].map(([{ file, isFrozen }, { source }]) => ({
      name: file,
      source,
      isOurs: !isFrozen,
    })),
    linesOf(call) {
      const { file, method, steps: done } = call;
      const own = matchedLines(story.matches, call);
      if (own !== undefined) return own;
      const found = [...generated].find(([page]) => page.file === file);
      if (found === undefined) return undefined;
      const [{ isFrozen }, { statements }] = found;
      const lines = [...statements].flatMap(([line, place]) => {
        const step = place.method === method ? done[place.index] : undefined;
        return step === undefined || isFrozen ? [] : [[line, step] as const];
      });
      return new Map(lines);
    },
  };
}

/** The variables of the words that steps use. */
export function variablesOf(steps: readonly Step[], uniques: Uniques = {}): Uniques {
  const nameFor = createNames();
  // The traits of a step are its action, whose schemas refer to themselves.
  const data = steps.map((step) => ({ ...step, traits: undefined }));
  const used = Object.entries(uniques).filter(([name, word]) => hasWord(data, { [name]: word }));
  return Object.fromEntries(
    used.map(([name, word]) => [
      nameFor(camelCase(['unique', ...wordsOf(name.replaceAll('_', ' '), 6)])),
      word,
    ]),
  );
}

/** Milliseconds of an application in a test from which on it may need more than Playwright's 30 s, and more than 90 s. */
const slowTestMs = 10_000;
const verySlowTestMs = 30_000;

/** Gives the test of a slow application more time. */
function slowness(steps: readonly CodeStep[]): OriginChunk[] {
  const sum = steps.reduce((total, { slowMs = 0, lateMs = 0 }) => total + Math.max(slowMs, lateMs), 0);
  if (sum < slowTestMs) return [];
  const timeoutMs = sum < verySlowTestMs ? undefined : Math.ceil((4 * sum) / 60_000) * 60_000;
  const note = `The application took ${Math.round(sum / 1000)} s when this was recorded.`;
  return [{ code: [{ kind: 'slow', timeoutMs }], note }];
}

function uniqueWord(name: string): OriginChunk {
  return { code: [{ kind: 'bind', name, value: { kind: 'helper', name: 'uniqueWord' }, type: 'string' }] };
}

/** Fails if a variable is missing that the test needs: clearer than what the page would say. */
function secretCheck(name: string): OriginChunk {
  const subject = { kind: 'secret', name } as const;
  return { code: [expectThat(subject, 'toBeTruthy', [], { message: `${name} is set` })] };
}
