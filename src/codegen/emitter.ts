import { z } from 'zod';
import {
  call,
  expectThat,
  finished,
  run,
  value,
  variable,
  type CodeScope,
  type CodeStep,
  type Expectation,
  type Expression,
  type Statement,
} from '../model/code.js';
import type { Json } from '../model/json.js';
import type { LocatorChain } from '../model/locator.js';
import type { Template } from '../model/template.js';
import type { Signal, Step } from '../model/step.js';
import { escapeRegExp } from '../model/text.js';
import { camelCase, createNames, elementName, identifier, wordsOf } from './identifiers.js';

/** A step as code. */
export interface EmittedStep {
  /** Declarations of locators that it uses, and of those that only its assertions use. */
  names: Statement[];
  assertedNames: Statement[];
  /** What has to happen before the action. */
  before: Statement[];
  /** Repeats the action; empty for what only gives structure. */
  action: Statement[];
  /** What the test waits for because of it. */
  after: Statement[];
  /** The automatic assertions. */
  assertions: Statement[][];
  /** What the next step needs, after the assertions. */
  last: Statement[];
  /** The variable of the page that it acts in. */
  page: string;
  /** Becomes the comment above. */
  note: string | undefined;
  calls?: PageCall;
}

/** A call of a page object's method, and the steps that its statements do. */
export interface PageCall {
  file: string;
  method: string;
  steps: readonly number[];
}

/** Where a locator is needed: for a step's action, or for its assertions. */
export interface LocatorUse {
  index: number;
  of: 'action' | 'assertion';
  /** Index among the assertions of the step. */
  assertion?: number;
  /** The variable of its page. */
  page: string;
}

/** Prints a locator. */
type Locate = (chain: LocatorChain, use: LocatorUse) => Expression;

/** All of a step's code but its assertions. */
export function statementsOf({ before, action, after }: EmittedStep): Statement[] {
  return [...before, ...action, ...after];
}

export function locatorOf(chain: LocatorChain, page: string): Extract<Expression, { kind: 'locator' }> {
  return { kind: 'locator', page: variable(page), chain };
}

/** The scope of a statement outside a test. */
export function bareScope(page: Expression, subject = page): CodeScope {
  return {
    subject,
    page,
    context: variable('context'),
    openedContext: undefined,
    to: undefined,
    mask: [],
    signals: [],
    opened: undefined,
    download: undefined,
    companions: [],
    leads: true,
    declare: (wish) => wish,
    input: value,
  };
}

/** The code of a session's steps, each with the variables that earlier steps declared. */
export function emitSteps(
  steps: readonly CodeStep[],
  locate: Locate = (chain, { page }) => locatorOf(chain, page),
  nameFor = createNames(),
): EmittedStep[] {
  const emitter = new Emitter(steps, locate, nameFor);
  const emitted = steps.map((step, index) => emitter.emit(step, index));
  const last = emitted.findLast((_, index) => steps[index]?.groupTitle === undefined);
  last?.last.push(...emitter.closing());
  return emitted;
}

/** Follows the pages and variables of a test from step to step. */
class Emitter {
  /** The variables of pages, by their ids. */
  private readonly variables = new Map<string, string>();
  /** The variables of contexts, by those of their open pages. */
  private readonly open = new Map([['page', 'context']]);
  /** The page in front in each context. */
  private readonly front = new Map<string, string | undefined>([['context', 'page']]);
  private current = 'context';
  private download: string | undefined;
  /** What follows the next action that mutates the page. */
  private pending: Statement[] = [];

  constructor(
    private readonly steps: readonly CodeStep[],
    private readonly locate: Locate,
    private readonly nameFor: (wish: string) => string,
  ) {}

  emit(step: CodeStep, index: number): EmittedStep {
    const page = (step.page === undefined ? undefined : this.variables.get(step.page)) ?? 'page';
    const emitted: EmittedStep = {
      names: [],
      assertedNames: [],
      before: [],
      action: [],
      after: [],
      assertions: [],
      last: [],
      page,
      note: step.note,
    };
    const { traits } = step;
    if (step.groupTitle !== undefined) return emitted;
    const context = this.open.get(page) ?? 'context';
    const isInFront = this.front.get(context) === page;
    if (!isInFront && traits.kind !== 'expects') {
      if (!traits.switchesPage) emitted.before.push(run(variable(page), 'bringToFront'));
      this.front.set(context, page);
    }
    const opened = this.addSignals(step, index, emitted);
    const scope = this.scopeOf(step, index, { name: page, context, opened });
    scope.input = (given) => this.input(given, step, emitted);
    // Each context has its own front page.
    const isThere = traits.switchesPage && context !== this.current && isInFront;
    emitted.action = isThere ? [] : step.toCode(scope);
    this.current = context;
    if (traits.kind === 'expects')
      for (const statement of emitted.action)
        if (statement.kind === 'start') this.pending.push(...finished(statement.event));
    if (traits.kind === 'mutates') emitted.after.push(...this.pending.splice(0));
    if (traits.closesPage) {
      this.open.delete(page);
      const others = [...this.open].filter(([, each]) => each === context);
      this.front.set(context, others.length === 1 ? others[0]?.[0] : undefined);
    }
    const later = this.steps.slice(index + 1);
    // What a step asserts waits for the document that it loads.
    const isProven = step.assertions !== undefined;
    if (step.loads === true && !isProven && !traits.navigates && isActedOn(later, step.page))
      emitted.last.push(run(variable(page), 'waitForLoadState'));
    emitted.assertions = (step.assertions ?? []).map((assertion, number) => {
      const { locator } = assertion;
      const subject = locator && this.locate(locator, { index, of: 'assertion', assertion: number, page });
      return step.assert(assertion, bareScope(scope.page, subject));
    });
    return emitted;
  }

  /** Closes the contexts that steps opened. */
  closing(): Statement[] {
    const contexts = [...this.front.keys()].filter((context) => context !== 'context');
    return contexts.map((context) => run(variable(context), 'close'));
  }

  private scopeOf(step: CodeStep, index: number, { name, context, opened }: Place): CodeScope {
    const page = variable(name);
    const use: LocatorUse = { index, of: 'action', page: name };
    return {
      subject: step.locator === undefined ? page : this.locate(step.locator, use),
      page,
      to: step.to && this.locate(step.to, use),
      mask: (step.mask ?? []).map((chain) => this.locate(chain, use)),
      signals: step.signals ?? [],
      context: variable(context),
      opened: opened.page,
      openedContext: opened.context,
      download: this.download,
      ...companionsOf(this.steps, index),
      declare: this.nameFor,
      input: value,
    };
  }

  /** What is entered into a field; long JSON is an object with a name. */
  private input(given: Json, { locator = [] }: CodeStep, { names }: EmittedStep): Expression {
    const json = typeof given === 'string' ? readableJson(given) : undefined;
    if (json === undefined) return value(given);
    const name = this.nameFor(identifier([...elementName(locator).words, 'data']));
    names.push({ kind: 'bind', name, value: { kind: 'value', value: json } });
    return call(variable('JSON'), 'stringify', variable(name));
  }

  /** Makes the test wait for what the step caused. Returns the variables of what it opened; of a page only if it is used. */
  private addSignals(step: CodeStep, index: number, emitted: EmittedStep): Opened {
    const opened: Opened = {};
    const own = this.open.get(emitted.page) ?? 'context';
    const promises = new Map<string, string>();
    for (const signal of step.signals ?? []) {
      // The action answers it itself.
      if (signal.type === 'filechooser') continue;
      const result = this.nameFor(variableFor(signal, step));
      const isUsed =
        signal.type === 'download' || this.steps.slice(index + 1).some((later) => later.page === signal.page);
      if (signal.type === 'download') this.download = result;
      else {
        this.variables.set(signal.page, result);
        if (step.traits.opensContext) opened.context = this.nameFor(`${ownerName(step)}Context`);
        const context = opened.context ?? own;
        this.open.set(result, context);
        this.front.set(context, result);
        if (isUsed) opened.page = result;
        if (step.traits.opensPage) continue;
      }
      const promise = this.nameFor(`${result}Promise`);
      // The first event ends every wait that began before it: the next wait begins after it. A popup is a page, too.
      const earlier = promises.get(signal.type);
      const source = waitFor(signal, signal.type === 'page' ? own : emitted.page, earlier);
      promises.set(signal.type, promise);
      if (signal.type === 'popup') promises.set('page', promise);
      const checks = signal.type === 'download' ? [fileNameCheck(result, signal.suggestedFilename)] : [];
      const type = signal.type === 'download' ? 'Download' : 'Page';
      const event = { promise, source, result: isUsed ? result : undefined, type, checks };
      emitted.before.push({ kind: 'start', event });
      emitted.after.push(...finished(event));
      if (isUsed && signal.type !== 'download') emitted.last.push(run(variable(result), 'waitForLoadState'));
    }
    return opened;
  }
}

/** From this length on, JSON is easier to read as an object. */
const longJson = 40;

/** Parses a text that is the JSON of an object or list, apart from white space. */
function readableJson(text: string): Json | undefined {
  // A template of values has this key.
  if (text.length < longJson || text.includes('$template')) return undefined;
  try {
    const json = z.json().parse(JSON.parse(text));
    const compact = text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
    return typeof json === 'object' && JSON.stringify(json) === compact ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a later step acts on an element of a page as it is now. */
function isActedOn(steps: readonly CodeStep[], page: string | undefined): boolean {
  const next = steps.find((step) => step.page === page && step.traits.kind === 'mutates');
  return next !== undefined && (next.locator !== undefined || next.traits.pressesKey === true);
}

/** The variables of what a step opened. */
interface Opened {
  page?: string;
  context?: string;
}

/** The variables of a step's page and its context. */
interface Place {
  name: string;
  context: string;
  opened: Opened;
}

/** The name of the person that a context is opened for, in a variable. */
function ownerName({ args: { name } }: Pick<Step, 'args'>): string {
  const words = wordsOf(typeof name === 'string' ? name : '', 3);
  return /^[a-z]/.test(words[0] ?? '') ? camelCase(words) : camelCase(['other', ...words]);
}

function variableFor({ type }: Signal, step: CodeStep): string {
  if (step.traits.opensContext) return `${ownerName(step)}Page`;
  return type === 'page' ? 'newPage' : type;
}

function waitFor({ type }: Signal, source: string, earlier: string | undefined): Expression {
  const wait = call(variable(source), 'waitForEvent', value(type));
  if (earlier === undefined) return wait;
  return call(variable(earlier), 'then', { kind: 'function', parameters: [], body: wait });
}

/** The name of a downloaded file; numbers and ids in it change from run to run. */
function fileNameCheck(download: string, name: string | Template): Expectation {
  const subject = call(variable(download), 'suggestedFilename');
  if (typeof name !== 'string') return expectThat(subject, 'toBe', [value(name)]);
  const parts = name.split(/([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\d+)/i);
  if (parts.length === 1) return expectThat(subject, 'toBe', [value(name)]);
  const source = parts.map((part, index) =>
    index % 2 === 0 ? escapeRegExp(part) : part.includes('-') ? '[\\da-f-]+' : '\\d+',
  );
  return expectThat(subject, 'toMatch', [value({ regex: `^${source.join('')}$` })]);
}

function companionsOf(
  steps: readonly CodeStep[],
  index: number,
): { companions: readonly Step[]; leads: boolean } {
  const { action } = steps[index] ?? {};
  const mutates = ({ traits }: CodeStep): boolean => traits.kind === 'mutates';
  const since = steps.slice(0, index).findLastIndex(mutates) + 1;
  const acting = steps.findIndex((step, at) => at > index && mutates(step));
  return {
    companions: steps.slice(index, Math.max(index, acting)).filter((step) => step.action === action),
    leads: !steps.slice(since, index).some((step) => step.action === action),
  };
}
