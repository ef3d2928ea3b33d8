import { camelCase, createNames, testVariables, wordsOf } from './identifiers.js';
import type { LocatorChain } from '../model/locator.js';
import { property, run, variable, type CodeStep, type Expression } from '../model/code.js';
import { emitSteps, locatorOf, type EmittedStep, type LocatorUse } from './emitter.js';
import { callsOf, takesText } from './page-calls.js';
import { createShelf, fieldOf, type Draft, type ExistingPage, type PlannedPage } from './page-shelf.js';
import { passagesOf, type Passage, type Route } from './routes.js';
import type { OwnPage } from './own-pages.js';
import { ownMatches, stepsOf, type Match, type Unchecked } from './own-matches.js';
import { applyMatch, fieldFinder, simpleFixture } from './own-story.js';
import { variableOf as ownVariable } from './own-uses.js';
import { hasWord, type Uniques } from './rows.js';

interface Story {
  /** The steps as code, in which page objects are used. */
  emitted: EmittedStep[];
  pages: PlannedPage[];
  /** Page objects that are created at the start. */
  made: { variable: string; page: PlannedPage }[];
  /** Those of the user that the test has as they are. */
  ownMade: { variable: string; page: OwnPage; isFixture: boolean }[];
  matches: readonly Match[];
  warnings: string[];
  unchecked: Unchecked[];
}

/** A page object of another page, made where it is first used. */
interface Later {
  index: number;
  name: string;
  page: string;
  draft: Draft;
}

/** The page objects that the user wrote, and the declaration with which another page object imports one. */
interface OwnObjects {
  pages: readonly OwnPage[];
  importOf: (page: OwnPage) => string;
}

/**
 * Writes a flow with page objects: one for each route, extended if it already exists; where the user has one, this and
 * what it lacks in a class that extends it. Throws FILE_CHANGED if one that a person has changed lacks what the flow needs.
 */
export function planStory(
  steps: readonly CodeStep[],
  baseURL: string | undefined,
  {
    existing,
    uniques = {},
    own = { pages: [], importOf: () => '' },
  }: { existing: ReadonlyMap<string, ExistingPage>; uniques?: Uniques; own?: OwnObjects },
): Story {
  const passages = passagesOf(steps, baseURL);
  const nameFor = createNames([...testVariables, ...Object.keys(uniques)]);
  const fieldIn = fieldFinder(own.pages);
  const { matches, warnings, unchecked } = ownMatches(steps, own.pages);
  const done = new Set(matches.flatMap(({ items }) => stepsOf(items)));
  const bases = basesOf(steps, passages, { matches, fieldIn });
  const names = new Set(own.pages.map(({ className }) => className));
  const shelf = createShelf(existing, { ...own, names, ownOf: ({ path }) => bases.get(path) });
  const none: Passage = { before: undefined, after: undefined };
  const extended = new Set([undefined, ...bases.values()]);
  /** Passages of the steps for which a page object of ours may have a method. */
  const left = passages.map((each, index) => {
    const isTheirs = !extended.has(fieldIn(steps[index]?.locator ?? [])?.page);
    return done.has(index) || isTheirs ? none : each;
  });
  /** The variables of page objects, by that of the page and the file. */
  const variables = new Map<string, string>();
  const made: { variable: string; page: Draft }[] = [];
  const later: Later[] = [];

  const variableOf = (draft: Draft, page: string, index: number): string => {
    const key = `${page} ${draft.file}`;
    const known = variables.get(key);
    if (known !== undefined) return known;
    const name = nameFor(draft.own ? ownName(draft.own) : camelCase(wordsOf(draft.className, 20)));
    variables.set(key, name);
    if (page === 'page') made.push({ variable: name, page: draft });
    else later.push({ index, name, page, draft });
    return name;
  };

  const ownVariables = new Map<OwnPage, string>();
  const objectOf = (page: OwnPage, index: number): Expression => {
    const [path] = [...bases].find(([, base]) => base === page) ?? [];
    const draft = path === undefined ? undefined : shelf.draftOf({ path, isFixed: true });
    if (draft?.own === page) return variable(variableOf(draft, 'page', index));
    const name = ownVariables.get(page) ?? nameFor(ownName(page));
    ownVariables.set(page, name);
    return variable(name);
  };

  const locate = (chain: LocatorChain, { index, of, page }: LocatorUse): Expression => {
    if (of === 'action' && done.has(index)) return locatorOf(chain, page);
    const found = page === 'page' ? fieldIn(chain) : undefined;
    if (found !== undefined) return found.code(objectOf(found.page, index));
    const passage = passages[index];
    const route = passage?.[of === 'action' ? 'before' : 'after'];
    // A page object does not know the variables of a test.
    if (route === undefined || hasWord(chain, uniques)) return locatorOf(chain, page);
    // A method that takes the text as a parameter has no use for a field.
    if (of === 'action' && takesText(steps[index], passage)) return locatorOf(chain, page);
    const draft = shelf.draftOf(route);
    return property(variable(variableOf(draft, page, index)), fieldOf(draft, chain));
  };

  const emitted = emitSteps(steps, locate, nameFor);
  applyCalls(emitted, callsOf(steps, left, emitted, { ...shelf, uniques }), variableOf);
  makeLater(emitted, later);
  for (const match of matches) applyMatch(emitted, match, objectOf(match.page, stepsOf(match.items)[0] ?? 0));
  const pages = dividedPages(shelf.drafts(), { made, later, ownVariables });
  return { emitted, matches, warnings, unchecked, ...pages };
}

/** The page objects of a story: those that are written, and those of the user that are used as they are. */
function dividedPages(
  drafts: readonly Draft[],
  {
    made,
    later,
    ownVariables,
  }: {
    made: readonly { variable: string; page: Draft }[];
    later: readonly Later[];
    ownVariables: ReadonlyMap<OwnPage, string>;
  },
): Pick<Story, 'pages' | 'made' | 'ownMade'> {
  const isPlain = (draft: Draft): boolean =>
    draft.own !== undefined && !draft.isExtended() && !later.some((each) => each.draft === draft);
  const plain = made.flatMap(({ variable: name, page }) =>
    isPlain(page) && page.own ? [[page.own, name] as const] : [],
  );
  return {
    pages: drafts.filter((draft) => !isPlain(draft)),
    made: made.filter(({ page }) => !isPlain(page)),
    ownMade: [...ownVariables, ...plain].map(([page, name]) => ({
      variable: name,
      page,
      isFixture: simpleFixture(page)?.name === name,
    })),
  };
}

/** Writes the calls of methods instead of the steps that they do. */
function applyCalls(
  emitted: readonly EmittedStep[],
  calls: ReturnType<typeof callsOf>,
  variableOf: (draft: Draft, page: string, index: number) => string,
): void {
  for (const { steps: done, draft, method, args } of calls) {
    const [first = 0] = done;
    const [opening, ...others] = done.flatMap((index) => emitted[index] ?? []);
    const closing = others.at(-1) ?? opening;
    if (opening === undefined || closing === undefined) continue;
    const object = variable(variableOf(draft, opening.page, first));
    const { before } = opening;
    for (const silent of done.length === 1 ? [] : [opening, ...others.slice(0, -1)])
      Object.assign(silent, { before: [], action: [], assertions: [] });
    closing.before = closing === opening ? before : [...before, ...closing.before];
    closing.action = [run(object, method, ...args)];
    closing.calls = { file: draft.file, method, steps: done };
  }
}

/** Makes page objects of other pages where they are first used. */
function makeLater(emitted: readonly EmittedStep[], later: readonly Later[]): void {
  for (const { index, name, page, draft } of later.toReversed()) {
    const { className } = draft;
    const module = { from: moduleOf(draft), names: [className] };
    const object: Expression = { kind: 'new', className, module, args: [variable(page)] };
    const at = emitted.slice(index).find((each) => each.action.length > 0 || each.assertions.length > 0);
    at?.before.unshift({ kind: 'bind', name, value: object, type: className });
  }
}

/** What the user's page object is called in a test. */
function ownName(page: OwnPage): string {
  return simpleFixture(page)?.name ?? ownVariable(page);
}

/** The user's classes for routes: each for the one where most of it is used, unless others are used there as well. */
function basesOf(
  steps: readonly CodeStep[],
  passages: readonly Passage[],
  { matches, fieldIn }: { matches: readonly Match[]; fieldIn: ReturnType<typeof fieldFinder> },
): Map<string, OwnPage> {
  const uses = new Map<OwnPage, string[]>();
  const add = (page: OwnPage, route: Route | undefined): void => {
    if (route !== undefined && page.subclass !== undefined)
      uses.set(page, [...(uses.get(page) ?? []), route.path]);
  };
  for (const { page, items } of matches)
    for (const index of stepsOf(items))
      add(page, passages[index]?.[steps[index]?.traits.opensUrl ? 'after' : 'before']);
  emitSteps(steps, (chain, { index, of, page }) => {
    const found = page === 'page' ? fieldIn(chain) : undefined;
    if (found !== undefined) add(found.page, passages[index]?.[of === 'action' ? 'before' : 'after']);
    return locatorOf(chain, page);
  });
  const bases = new Map<string, OwnPage[]>();
  for (const [page, routes] of uses) {
    const count = (path: string): number => routes.filter((each) => each === path).length;
    const [most = ''] = [...new Set(routes)].sort((one, other) => count(other) - count(one));
    bases.set(most, [...(bases.get(most) ?? []), page]);
  }
  return new Map(
    [...bases].flatMap(([path, [only, ...others]]) =>
      only === undefined || others.length > 0 ? [] : [[path, only] as const],
    ),
  );
}

/** The module of a page object, as the specs beside its directory import it. */
export function moduleOf({ file }: Pick<PlannedPage, 'file'>): string {
  return `./pages/${file}.js`;
}
