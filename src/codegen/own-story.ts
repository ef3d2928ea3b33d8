import { z } from 'zod';
import { call, property, run, variable, type CodeStep, type Expression } from '../model/code.js';
import type { Json } from '../model/json.js';
import type { LocatorChain } from '../model/locator.js';
import { locatorOf, statementsOf, type EmittedStep, type PageCall } from './emitter.js';
import type { PageObjectUse } from './generate.js';
import { createNames, testVariables } from './identifiers.js';
import type { OwnFixture, OwnStart } from './own-fixtures.js';
import type { OwnPage } from './own-pages.js';
import { useOf, variableOf } from './own-uses.js';
import {
  argumentsOf,
  itemsMatching,
  itemsOf,
  matchesIn,
  type Unchecked,
  stepsOf,
  type Item,
  type Match,
  type Pattern,
} from './own-matches.js';
import { emitNamed } from './named-locators.js';
import { Printer } from './printer.js';
import { syntaxOf } from './syntax.js';
import { literalSchema, treeOf, unifies } from './unify.js';

interface OwnStory {
  emitted: EmittedStep[];
  made: PageObjectUse[];
  warnings: string[];
  unchecked: Unchecked[];
  /** The lines of a called method, with their steps. */
  linesOf: (call: PageCall) => Map<number, number> | undefined;
}

/** A fixture that has done, before the test, what the first statements do. */
interface Start {
  page: OwnPage;
  fixture: OwnFixture;
  items: readonly Item[];
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
  const { matches, warnings, unchecked } = matchesIn(items, pages, steps, first);
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
  for (const match of matches) {
    if (match.page.isHelper === true) variables.set(match.page, match.page.className);
    applyMatch(emitted, match, objectOf(match.page));
  }
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
    unchecked,
    made: inOrderOfUse([...variables], emitted).map(([page, name]) =>
      useOf(page, { spec, variable: name, isFixture: fixtures.has(page) }),
    ),
    linesOf: (call) => matchedLines(matches, call),
  };
}

/** Page objects in the order in which a test uses them first. */
function inOrderOfUse(
  variables: readonly (readonly [OwnPage, string])[],
  emitted: readonly EmittedStep[],
): (readonly [OwnPage, string])[] {
  const printer = new Printer();
  for (const step of emitted)
    printer.statements([
      ...step.names,
      ...statementsOf(step),
      ...step.assertedNames,
      ...step.assertions.flat(),
    ]);
  const used = [...printer.used];
  return variables.toSorted(([, one], [, other]) => used.indexOf(one) - used.indexOf(other));
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
  return new Map(match.method.statements.map(({ line }, index) => [line, match.done[index]?.step ?? last]));
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
function openingOf(
  items: readonly (Item | undefined)[],
  [start, other]: readonly OwnStart[] = [],
): readonly Item[] {
  if (start === undefined || other !== undefined) return [];
  const bound = new Map<string, Json>(Object.entries(start.options));
  const parameters = new Set(bound.keys());
  return (
    itemsMatching(
      items,
      0,
      start.setup.map((code) => ({ code, parameters, bound })),
    )?.items ?? []
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
      return found === undefined ? [] : [{ page, fixture, items: found.items }];
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
  last.action = [
    page.isHelper === true
      ? { kind: 'run', value: { kind: 'apply', name: page.className, args: [variable('page'), ...args] } }
      : run(object, method.name, ...args),
  ];
  last.calls = { file: page.file, method: method.name, steps };
}

/** A list of literals as a program. */
const listSchema = z.tuple([z.object({ expression: z.object({ elements: z.array(literalSchema) }) })]);

/** A field of a page object, or a method that returns a locator. */
interface Field {
  page: OwnPage;
  name: string;
  args?: Expression[];
}

/** The fields of page objects by their locators; one that several fields have is none. */
function fieldsOf(pages: readonly OwnPage[]): Map<string, Field> {
  const fields = new Map<string, Field | undefined>();
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
      const start = chain.slice(0, length);
      const field = fields.get(keyOf(start)) ?? finderOf(start, pages);
      if (field === undefined) continue;
      const rest = chain.slice(length);
      const code = (object: Expression): Expression => {
        const own = field.args ? call(object, field.name, ...field.args) : property(object, field.name);
        return rest.length === 0 ? own : { kind: 'locator', page: own, chain: rest };
      };
      return { page: field.page, code };
    }
    return undefined;
  };
}

/** The only method of a page object that returns a locator. */
function finderOf(chain: LocatorChain, pages: readonly OwnPage[]): Field | undefined {
  const all = pages.flatMap((page) => (page.finders ?? []).map((finder) => ({ page, finder })));
  const tree = all.length === 0 ? undefined : treeOf(new Printer().expression(locatorOf(chain, 'page')));
  const [found, ...others] = all.flatMap(({ page, finder }): Field[] => {
    const bound = new Map<string, Json>();
    const isSame = unifies(treeOf(finder.code), tree, new Set(finder.parameters), bound);
    const args = isSame ? argumentsOf(finder, bound) : undefined;
    return args === undefined ? [] : [{ page, name: finder.name, args }];
  });
  return others.length === 0 ? found : undefined;
}

function keyOf(chain: LocatorChain): string {
  return syntaxOf(new Printer().expression(locatorOf(chain, 'page')));
}
