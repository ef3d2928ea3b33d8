import { z } from 'zod';
import { isRecord, type Json } from './json.js';
import { isPattern, type LocatorChain, type Pattern } from './locator.js';
import type { Assertion, Signal, Step } from './step.js';
import type { Traits } from './traits.js';

/** Code as data: actions return it, and a printer per language turns it into text. */
export type Expression =
  /** JSON; the secrets of its templates come from the environment. */
  | { kind: 'value'; value: Json }
  | { kind: 'pattern'; pattern: Pattern }
  /** A text with several lines. */
  | { kind: 'block'; text: Json }
  | { kind: 'list'; items: readonly Expression[] }
  /** The options of `device`, if it is set, come first. */
  | { kind: 'record'; entries: Readonly<Record<string, Expression>>; device?: string | undefined }
  /** A variable, a parameter or a fixture of the test. */
  | { kind: 'variable'; name: string }
  /** A helper function that is emitted below the test. */
  | { kind: 'helper'; name: 'uniqueWord' }
  /** The environment variable of a secret. */
  | { kind: 'secret'; name: string }
  /** A file in the output directory of the test. */
  | { kind: 'output path'; path: string }
  | { kind: 'file'; path: string }
  /** `from` is a locator that the chain continues; `filter` replaces the text of the call at an index. */
  | {
      kind: 'locator';
      page: Expression;
      from?: Expression | undefined;
      chain: LocatorChain;
      filter?: { at: number; text: Expression } | undefined;
    }
  | { kind: 'property'; of: Expression; name: string }
  | { kind: 'call'; of: Expression; method: string; args: readonly Expression[] }
  /** A call of a function. */
  | { kind: 'apply'; name: string; args: readonly Expression[] }
  | { kind: 'new'; className: string; module: Import; args: readonly Expression[] }
  | { kind: 'await'; value: Expression }
  | { kind: 'function'; parameters: readonly string[]; body: Expression }
  | { kind: 'handler'; parameters: readonly string[]; body: readonly Statement[] }
  | { kind: 'operation'; operator: '===' | '&&'; left: Expression; right: Expression }
  | { kind: 'choice'; test: Expression; then: Expression; otherwise: Expression };

export type Statement =
  /** Extends the time-out of the test: to three times the default, or to `timeoutMs`. */
  | { kind: 'slow'; timeoutMs?: number | undefined }
  /** An awaited call. */
  | { kind: 'run'; value: Expression }
  | { kind: 'bind'; name: string; value: Expression; type?: string }
  | Expectation
  /** Start and end of waiting for an event, around the action that causes it. */
  | { kind: 'start'; event: CodeEvent }
  | { kind: 'finish'; event: CodeEvent };

export interface Expectation {
  kind: 'expect';
  subject: Expression;
  matcher: string;
  args: readonly Expression[];
  not?: boolean;
  soft?: boolean;
  /** What is repeated until the assertion is true; by default, it is checked once. */
  retries?: 'assertion' | 'subject';
  message?: string;
}

/** An event that an action causes in the page. */
export interface CodeEvent {
  /** Variables of the promise and its result. */
  promise: string;
  source: Expression;
  result?: string | undefined;
  type?: string | undefined;
  checks: readonly Statement[];
}

/** The imported names must be reserved in `identifiers.ts`. */
export interface Import {
  /** The module, e.g. `node:path`. */
  from: string;
  default?: string | undefined;
  /** Whether the default is all that the module of CommonJS exports. */
  isModule?: boolean | undefined;
  names?: readonly string[] | undefined;
}

export interface CodeScope {
  /** The page, or the element that the step acts on. */
  subject: Expression;
  page: Expression;
  context: Expression;
  /** The variable of the context that the step opens. */
  openedContext: string | undefined;
  /** The second element, e.g. of `dragTo`. */
  to: Expression | undefined;
  /** Elements that are masked in a screenshot. */
  mask: readonly Expression[];
  signals: readonly Signal[];
  /** The variable of the page that the step opens. */
  opened: string | undefined;
  /** The variable of the latest download. */
  download: string | undefined;
  /** The steps of the same action from this one up to the next step that mutates the page. */
  companions: readonly Step[];
  /** Whether this step is the first of them. */
  leads: boolean;
  /** Declares a variable, and returns a free name similar to `wish`. */
  declare: (wish: string) => string;
  /** A value that is entered into a field: a parameter in the method of a page object. */
  input: (value: Json) => Expression;
}

export type Hook = 'beforeEach' | 'afterEach';

/** A step for code generation. */
export interface CodeStep extends Step {
  traits: Traits;
  groupTitle: string | undefined;
  hook?: Hook | undefined;
  /** The statements of the step. The events of `expects` actions are finished after the next action. */
  toCode: (scope: CodeScope) => Statement[];
  /** The statements of one of its automatic assertions. */
  assert: (assertion: Assertion, scope: CodeScope) => Statement[];
}

/** A value as an expression; patterns, also in a list, become regular expressions. */
export function value(given: unknown): Expression {
  if (isPattern(given)) return { kind: 'pattern', pattern: given };
  if (Array.isArray(given)) return { kind: 'list', items: given.map(value) };
  return { kind: 'value', value: z.json().parse(given) };
}

/** The arguments of a call, without undefined values and empty options. */
export function values(...given: unknown[]): Expression[] {
  const isEmpty = (each: unknown): boolean =>
    each === undefined || (isRecord(each) && Object.keys(each).length === 0);
  return given.filter((each) => !isEmpty(each)).map(value);
}

export function variable(name: string): Extract<Expression, { kind: 'variable' }> {
  return { kind: 'variable', name };
}

export function property(of: Expression, name: string): Expression {
  return { kind: 'property', of, name };
}

export function call(of: Expression, method: string, ...args: Expression[]): Expression {
  return { kind: 'call', of, method, args };
}

export function wait(of: Expression): Expression {
  return { kind: 'await', value: of };
}

/** Calls a method and waits for it. */
export function run(of: Expression, method: string, ...args: Expression[]): Statement {
  return { kind: 'run', value: call(of, method, ...args) };
}

export function expectThat(
  subject: Expression,
  matcher: string,
  args: readonly Expression[] = [],
  rest: Pick<Expectation, 'not' | 'retries' | 'message'> = {},
): Expectation {
  return { kind: 'expect', subject, matcher, args, ...rest };
}

export function finished(event: CodeEvent): Statement[] {
  return [{ kind: 'finish', event }, ...event.checks];
}
