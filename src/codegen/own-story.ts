import { z } from 'zod';
import {
  property,
  run,
  value,
  variable,
  type CodeStep,
  type Expression,
  type Statement,
} from '../model/code.js';
import { warningOf } from '../model/errors.js';
import type { Json } from '../model/json.js';
import type { LocatorChain } from '../model/locator.js';
import { isTemplate } from '../model/template.js';
import { emitSteps, locatorOf, type EmittedStep, type PageCall } from './emitter.js';
import type { PageObjectUse } from './generate.js';
import { createNames, testVariables } from './identifiers.js';
import type { OwnFixture, OwnStart } from './own-fixtures.js';
import type { OwnMethod, OwnPage } from './own-pages.js';
import { useOf, variableOf } from './own-uses.js';
import { isImplied } from './page-calls.js';
import { emitNamed } from './named-locators.js';
import { print, Printer } from './printer.js';
import { syntaxOf } from './syntax.js';
import { literalSchema, restored, treeOf, unifies, withPlaceholders } from './unify.js';

interface OwnStory {
  emitted: EmittedStep[];
  made: PageObjectUse[];
  warnings: string[];
  /** The lines of a called method, with their steps. */
  linesOf: (call: PageCall) => Map<number, number> | undefined;
}

/** A statement of the test, and where it comes from. */
interface Item {
  step: number;
  /** Index of an automatic assertion; undefined for the action. */
  assertion: number | undefined;
  tree: unknown;
  /** Whether it may be left out, since the action before it implies it. */
  isImplied: boolean;
}

/** A method that does what statements do. */
export interface Match {
  page: OwnPage;
  method: OwnMethod;
  args: Expression[];
  items: readonly Item[];
}

/** A fixture that has done, before the test, what the first statements do. */
interface Start {
  page: OwnPage;
  fixture: OwnFixture;
  items: readonly Item[];
}

/** A statement of a method, and the parameters that stand for literals in it. */
interface Pattern {
  code: string;
  parameters: ReadonlySet<string>;
  bound: Map<string, Json>;
}

/** The test that a flow becomes. */
interface Surroundings {
  /** Its path in the workspace. */
  spec: string;
  /** What fixtures do to the page before every test; undefined if something comes before the steps. */
  starts: readonly OwnStart[] | undefined;
  /** Names that no variable may have. */
  taken: readonly string[];
}

/**
 * Writes a flow with page objects that a person wrote: calls their methods for exactly what they do, and uses their
 * fields. Undefined if it can use none.
 */
export function planOwnStory(
  steps: readonly CodeStep[],
  pages: readonly OwnPage[],
  { spec, starts, taken }: Surroundings,
): OwnStory | undefined {
  const items = itemsOf(steps);
  const opening = openingOf(items, starts);
  const start = starts && startOf(items, pages, opening.length);
  const first = opening.length + (start?.items.length ?? 0);
  const { matches, warnings } = matchesIn(items, pages, first);
  const fixtures = new Map(
    pages.flatMap((page) => {
      const fixture = page === start?.page ? start.fixture : simpleFixture(page);
      return fixture === undefined ? [] : [[page, fixture.name] as const];
    }),
  );
  const functions = pages.flatMap((page) => (page.isFunction === true ? [page.className] : []));
  const nameFor = createNames([...testVariables, ...taken, ...functions, ...fixtures.values()]);
  const variables = new Map<OwnPage, string>();
  const objectOf = (page: OwnPage): Expression => {
    const known = variables.get(page) ?? fixtures.get(page) ?? nameFor(variableOf(page));
    variables.set(page, known);
    return variable(known);
  };
  const fieldIn = fieldFinder(pages);
  const done = new Set(
    [...opening, ...[...matches, ...(start ? [start] : [])].flatMap((match) => match.items)].map(
      ({ step, assertion }) => placeOf(step, assertion),
    ),
  );
  const emitted = emitNamed(steps, {
    nameFor,
    own: (chain, use) => {
      if (done.has(placeOf(use.index, use.assertion))) return locatorOf(chain, use.page);
      const found = use.page === 'page' ? fieldIn(chain) : undefined;
      return found?.code(objectOf(found.page));
    },
  });
  for (const match of matches) applyMatch(emitted, match, objectOf(match.page));
  // A fixture that is requested only for what it does first is no reason to request it.
  if (start !== undefined && !variables.has(start.page)) {
    const others = pages.map((page) => (page === start.page ? withoutFixture(start) : page));
    return planOwnStory(steps, others, { spec, starts, taken });
  }
  takeOut(emitted, [...opening, ...(start?.items ?? [])]);
  if (variables.size + warnings.length + opening.length === 0) return undefined;
  return {
    emitted,
    warnings,
    made: [...variables].map(([page, name]) =>
      useOf(page, { spec, variable: name, isFixture: fixtures.has(page) }),
    ),
    linesOf: (call) => matchedLines(matches, call),
  };
}

/** The place of a step's action, or of one of its assertions. */
function placeOf(step: number, assertion: number | undefined): string {
  return `${step} ${assertion ?? ''}`;
}

/** The lines of a called method, with their steps. */
export function matchedLines(
  matches: readonly Match[],
  { file, method, steps: [first = 0, ...others] }: PageCall,
): Map<number, number> | undefined {
  const match = matches.find(
    (each) => each.page.file === file && each.method.name === method && each.items[0]?.step === first,
  );
  if (match === undefined) return undefined;
  const last = others.at(-1) ?? first;
  const byStatement = match.items.filter((item) => !item.isImplied);
  return new Map(match.method.statements.map(({ line }, index) => [line, byStatement[index]?.step ?? last]));
}

/** The fixture that gives a page object and does nothing else; undefined if there is not exactly one. */
export function simpleFixture({ fixtures = [] }: OwnPage): OwnFixture | undefined {
  const [simple, ...others] = fixtures.filter(({ setup }) => setup.length === 0);
  return others.length === 0 ? simple : undefined;
}

function withoutFixture({ page, fixture }: Start): OwnPage {
  return { ...page, fixtures: page.fixtures?.filter((each) => each !== fixture) ?? [] };
}

/** What the fixtures of every test have done before it; nothing if several do something to the page. */
function openingOf(items: readonly (Item | undefined)[], [start, other]: readonly OwnStart[] = []): Item[] {
  if (start === undefined || other !== undefined) return [];
  const bound = new Map<string, Json>(Object.entries(start.options));
  const parameters = new Set(bound.keys());
  return (
    itemsMatching(
      items,
      0,
      start.setup.map((code) => ({ code, parameters, bound })),
    ) ?? []
  );
}

/** The fixture that does most of what the flow goes on with; undefined if several do as much. */
function startOf(
  items: readonly (Item | undefined)[],
  pages: readonly OwnPage[],
  at: number,
): Start | undefined {
  const starts = pages.flatMap((page) =>
    (page.fixtures ?? []).flatMap((fixture): Start[] => {
      const patterns = patternsOf(page, fixture);
      const found = patterns.length === 0 ? undefined : itemsMatching(items, at, patterns);
      return found === undefined ? [] : [{ page, fixture, items: found }];
    }),
  );
  const longest = Math.max(...starts.map((start) => start.items.length));
  const [best, ...others] = starts.filter((start) => start.items.length === longest);
  return others.length === 0 ? best : undefined;
}

/** The statements of what a fixture does before the test; none if one of them is not known. */
function patternsOf({ methods }: OwnPage, { setup }: OwnFixture): Pattern[] {
  const patterns = setup.map((each): Pattern[] => {
    if (typeof each === 'string') return [{ code: each, parameters: new Set(), bound: new Map() }];
    const method = methods.find(({ name }) => name === each.method);
    const args = listSchema.safeParse(treeOf(`[${each.args}]`)).data?.[0].expression.elements ?? [];
    const { parameters = [], statements = [] } = method ?? {};
    if (args.length !== parameters.length) return [];
    const bound = new Map(parameters.map((name, index) => [name, args[index]?.value ?? '']));
    return statements.map(({ code }) => ({ code, parameters: new Set(parameters), bound }));
  });
  return patterns.every((each) => each.length > 0) ? patterns.flat() : [];
}

export function stepsOf(items: readonly Item[]): number[] {
  return [...new Set(items.map((item) => item.step))];
}

/** Removes what a method or fixture does. */
function takeOut(emitted: readonly EmittedStep[], items: readonly Item[]): void {
  for (const index of stepsOf(items)) {
    const step = emitted[index];
    if (step === undefined) continue;
    const gone = new Set(items.flatMap((item) => (item.step === index ? [item.assertion] : [])));
    step.assertions = step.assertions.filter((_, number) => !gone.has(number));
    Object.assign(step, { before: [], action: [], after: [] });
  }
}

export function applyMatch(
  emitted: readonly EmittedStep[],
  { page, method, args, items }: Match,
  object: Expression,
): void {
  takeOut(emitted, items);
  const steps = stepsOf(items);
  const last = emitted[steps.at(-1) ?? 0];
  if (last === undefined) return;
  last.action = [run(object, method.name, ...args)];
  last.calls = { file: page.file, method: method.name, steps };
}

function itemsOf(steps: readonly CodeStep[]): (Item | undefined)[] {
  return emitSteps(steps).flatMap((emitted, step) => {
    const { page, before, action, after, last, assertions } = emitted;
    const own = steps[step];
    // What has another page, a title or a comment is not a part of a method.
    if (page !== 'page' || own === undefined || own.groupTitle !== undefined || last.length > 0)
      return [undefined];
    const templates = Object.values(own.args).filter(isTemplate);
    const item = (code: Statement, assertion?: number): Item => ({
      step,
      assertion,
      tree: withPlaceholders(treeOf(print([code])), templates),
      isImplied: assertion !== undefined && isImplied(own.assertions?.[assertion] ?? { args: {} }, own),
    });
    return [
      ...(own.note === undefined ? [] : [undefined]),
      ...[...before, ...action, ...after].map((code) => item(code)),
      ...assertions.flatMap((code, number) => code.map((each) => item(each, number))),
    ];
  });
}

/** What methods of page objects do in a flow. */
export function ownMatches(
  steps: readonly CodeStep[],
  pages: readonly OwnPage[],
): { matches: Match[]; warnings: string[] } {
  return matchesIn(itemsOf(steps), pages, 0);
}

/** The matches of a flow from an item on, the longest first; of two that are as long, none. */
function matchesIn(
  items: readonly (Item | undefined)[],
  pages: readonly OwnPage[],
  start: number,
): { matches: Match[]; warnings: string[] } {
  const matches: Match[] = [];
  const warnings = new Set<string>();
  for (let at = start; at < items.length; at++) {
    const item = items[at];
    if (item === undefined || item.assertion !== undefined || items[at - 1]?.step === item.step) continue;
    const found = pages.flatMap((page) =>
      page.methods.flatMap((method) => matchAt(items, at, { page, method }) ?? []),
    );
    const longest = Math.max(...found.map((match) => match.items.length));
    const [best, other] = found.filter((match) => match.items.length === longest);
    if (best === undefined) continue;
    if (other !== undefined) {
      const name = ({ page, method }: Match): string => `${page.className}.${method.name}`;
      warnings.add(
        warningOf(
          'INVALID_INPUT',
          `${name(best)} and ${name(other)} both do what step ${item.step} does, so the test calls neither.`,
          'Remove one of them, or call one by hand.',
        ),
      );
      continue;
    }
    matches.push(best);
    at += longest - 1;
  }
  return { matches, warnings: [...warnings] };
}

/** The match of a method that begins with an item. */
function matchAt(
  items: readonly (Item | undefined)[],
  at: number,
  { page, method }: Pick<Match, 'page' | 'method'>,
): Match | undefined {
  const bound = new Map<string, Json>();
  const parameters = new Set(method.parameters);
  const patterns = method.statements.map(({ code }) => ({ code, parameters, bound }));
  const found = itemsMatching(items, at, patterns);
  if (found === undefined || method.parameters.some((name) => !bound.has(name))) return undefined;
  const args = method.parameters.map((name) => value(restored(bound.get(name) ?? null)));
  return { page, method, args, items: found };
}

/** The items from one on that statements do; undefined if they do something else. */
function itemsMatching(
  items: readonly (Item | undefined)[],
  at: number,
  patterns: readonly Pattern[],
): Item[] | undefined {
  let next = at;
  for (const { code, parameters, bound } of patterns) {
    const tree = treeOf(code);
    while (
      next > at &&
      items[next]?.isImplied === true &&
      !unifies(tree, items[next]?.tree, parameters, new Map(bound))
    )
      next++;
    const item = items[next];
    if (item === undefined || tree === undefined || !unifies(tree, item.tree, parameters, bound))
      return undefined;
    next++;
  }
  // The action of a step is done as a whole.
  const isPartial = items[next]?.step === items[next - 1]?.step && items[next]?.assertion === undefined;
  return isPartial ? undefined : items.slice(at, next).filter((item) => item !== undefined);
}

/** A list of literals as a program. */
const listSchema = z.tuple([z.object({ expression: z.object({ elements: z.array(literalSchema) }) })]);

/** The fields of page objects by their locators; one that several fields have is none. */
function fieldsOf(pages: readonly OwnPage[]): Map<string, { page: OwnPage; name: string }> {
  const fields = new Map<string, { page: OwnPage; name: string } | undefined>();
  for (const page of pages)
    for (const { name, code } of page.fields) {
      const key = syntaxOf(code);
      fields.set(key, fields.has(key) ? undefined : { page, name });
    }
  return new Map([...fields].flatMap(([key, field]) => (field === undefined ? [] : [[key, field] as const])));
}

/** Finds the field with which a locator begins, and the code of the locator, given that of the page object. */
export function fieldFinder(
  pages: readonly OwnPage[],
): (chain: LocatorChain) => { page: OwnPage; code: (object: Expression) => Expression } | undefined {
  const fields = fieldsOf(pages);
  return (chain) => {
    for (let length = chain.length; length > 0; length--) {
      const field = fields.get(keyOf(chain.slice(0, length)));
      if (field === undefined) continue;
      const rest = chain.slice(length);
      const code = (object: Expression): Expression => {
        const own = property(object, field.name);
        return rest.length === 0 ? own : { kind: 'locator', page: own, chain: rest };
      };
      return { page: field.page, code };
    }
    return undefined;
  };
}

function keyOf(chain: LocatorChain): string {
  return syntaxOf(new Printer().expression(locatorOf(chain, 'page')));
}
