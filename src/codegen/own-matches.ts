import { value, type CodeStep, type Expression, type Statement } from '../model/code.js';
import { warningOf } from '../model/errors.js';
import type { Json } from '../model/json.js';
import { isTemplate } from '../model/template.js';
import { emitSteps } from './emitter.js';
import type { OwnMethod } from './own-code.js';
import type { OwnPage } from './own-pages.js';
import { isImplied } from './page-calls.js';
import { print } from './printer.js';
import { restored, treeOf, unifies, withPlaceholders } from './unify.js';

/** A statement of the test, and where it comes from. */
export interface Item {
  step: number;
  /** Index of an automatic assertion; undefined for the action. */
  assertion: number | undefined;
  /** Its code, with each locator that is known of its element. */
  trees: unknown[];
  /** Whether the action before it implies it. */
  isImplied: boolean;
}

/** A method that does what statements do. */
export interface Match {
  page: OwnPage;
  method: OwnMethod;
  args: Expression[];
  items: readonly Item[];
  /** The item of each statement. */
  done: readonly Item[];
}

/** An automatic assertion that the test lacks, since a method goes on without it. */
export interface Unchecked {
  step: number;
  index: number;
  code: string;
  reason: `${string} goes on without it; to keep it, record it with expect`;
}

/** The matches of a flow. */
interface Matches {
  matches: Match[];
  warnings: string[];
  unchecked: Unchecked[];
}

/** A statement of a method, and the parameters that stand for literals in it. */
export interface Pattern {
  code: string;
  parameters: ReadonlySet<string>;
  bound: Map<string, Json>;
}

export function stepsOf(items: readonly Item[]): number[] {
  return [...new Set(items.map((item) => item.step))];
}

export function itemsOf(steps: readonly CodeStep[]): (Item | undefined)[] {
  const items = itemsWith(steps);
  const most = Math.max(0, ...steps.map(({ own = [] }) => own.length));
  for (let number = 0; number < most; number++) {
    const others = steps.map((step) => ({ ...step, locator: step.own?.[number] ?? step.locator }));
    for (const [index, other] of itemsWith(others).entries())
      items[index]?.trees.push(...(other?.trees ?? []));
  }
  return items;
}

function itemsWith(steps: readonly CodeStep[]): (Item | undefined)[] {
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
      trees: [withPlaceholders(treeOf(print([code])), templates)],
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
export function ownMatches(steps: readonly CodeStep[], pages: readonly OwnPage[]): Matches {
  return matchesIn(itemsOf(steps), pages, steps, 0);
}

/** The matches of a flow from an item on, the longest first; of two that are as long, none. */
export function matchesIn(
  items: readonly (Item | undefined)[],
  pages: readonly OwnPage[],
  steps: readonly CodeStep[],
  start: number,
): Matches {
  const matches: Match[] = [];
  const warnings: string[] = [];
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
      warnings.push(
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
  const unchecked = matches.flatMap((match) => uncheckedIn(match, steps));
  return { matches, warnings: [...new Set(warnings)], unchecked };
}

function uncheckedIn({ page, method, items, done }: Match, steps: readonly CodeStep[]): Unchecked[] {
  const name = page.isHelper === true ? method.name : `${page.className}.${method.name}`;
  const left = items.filter(
    (item) =>
      item.assertion !== undefined && !item.isImplied && !done.includes(item) && item !== items.at(-1),
  );
  return left.map(({ step, assertion: index = 0 }) => ({
    ...{ step, index, code: print(emitSteps(steps)[step]?.assertions[index] ?? []) },
    reason: `${name} goes on without it; to keep it, record it with expect`,
  }));
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
  const args = found && argumentsOf(method, bound);
  return args && { page, method, args, ...found };
}

/** The arguments of a call, without those that a method has by default; undefined if one is not known. */
export function argumentsOf(
  { parameters, defaults = {}, numbers = [] }: Omit<OwnMethod, 'statements'>,
  bound: ReadonlyMap<string, Json>,
): Expression[] | undefined {
  const given = parameters.map((name) => {
    const literal = restored(bound.get(name) ?? defaults[name] ?? null);
    // A number in a text.
    return numbers.includes(name) && String(Number(literal)) === literal ? Number(literal) : literal;
  });
  const isKnown = given.every(
    (each, index) =>
      each !== null && (typeof each === 'number' || !numbers.includes(parameters[index] ?? '')),
  );
  if (!isKnown) return undefined;
  const last = given.findLastIndex((each, index) => each !== defaults[parameters[index] ?? '']);
  return given.slice(0, last + 1).map(value);
}

/** The items from one on that statements do; undefined if they do something else. */
export function itemsMatching(
  items: readonly (Item | undefined)[],
  at: number,
  patterns: readonly Pattern[],
): Pick<Match, 'items' | 'done'> | undefined {
  const done: Item[] = [];
  let next = at;
  for (const { code, parameters, bound } of patterns) {
    const tree = treeOf(code);
    const isSame = (item: Item | undefined): boolean =>
      tree !== undefined &&
      item?.trees.some((each) => {
        const trial = new Map(bound);
        if (!unifies(tree, each, parameters, trial)) return false;
        for (const [name, literal] of trial) bound.set(name, literal);
        return true;
      }) === true;
    // What a method does not check between its actions, its test does not check either.
    while (next > at && items[next]?.assertion !== undefined && !isSame(items[next])) next++;
    const item = items[next++];
    if (item === undefined || !isSame(item)) return undefined;
    done.push(item);
  }
  // The action of a step is done as a whole.
  const isPartial = items[next]?.step === items[next - 1]?.step && items[next]?.assertion === undefined;
  return isPartial ? undefined : { items: items.slice(at, next).filter((item) => item !== undefined), done };
}
