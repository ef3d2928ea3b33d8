import { z } from 'zod';
import { isRecord, type Json } from './json.js';
import { isPattern, type LocatorChain, type Pattern } from './locator.js';
import type { Assertion, Signal, Step } from './step.js';
import type { Traits } from './traits.js';

/** What a statement works with. Actions give code as this data; a printer makes the text of a language of it. */
export type Expression =
  /** JSON; the secrets of its templates come from the environment. */
  | { kind: 'value'; value: Json }
  | { kind: 'pattern'; pattern: Pattern }
  /** A text of several lines. */
  | { kind: 'block'; text: Json }
  | { kind: 'list'; items: readonly Expression[] }
  /** `device` is the name of one whose options come first. */
  | { kind: 'record'; entries: Readonly<Record<string, Expression>>; device?: string | undefined }
  /** A variable, a parameter or a fixture of the test. */
  | { kind: 'variable'; name: string }
  /** A call of a helper, a function below the test. */
  | { kind: 'helper'; name: 'uniqueWord' }
  /** The environment variable of a secret. */
  | { kind: 'secret'; name: string }
  /** A file among the results of the test. */
  | { kind: 'output path'; path: string }
  /** A file of the workspace, which the test needs. */
  | { kind: 'file'; path: string }
  /** `filter` replaces the text of the call at that index; the chain continues from a locator if there is one. */
  | {
      kind: 'locator';
      page: Expression;
      from?: Expression | undefined;
      chain: LocatorChain;
      filter?: { at: number; text: Expression } | undefined;
    }
  | { kind: 'property'; of: Expression; name: string }
  | { kind: 'call'; of: Expression; method: string; args: readonly Expression[] }
  | { kind: 'new'; className: string; module: Import; args: readonly Expression[] }
  | { kind: 'await'; value: Expression }
  | { kind: 'function'; parameters: readonly string[]; body: Expression }
  | { kind: 'handler'; parameters: readonly string[]; body: readonly Statement[] }
  | { kind: 'operation'; operator: '===' | '&&'; left: Expression; right: Expression }
  | { kind: 'choice'; test: Expression; then: Expression; otherwise: Expression };

export type Statement =
  /** Gives the test more time: three times as long as others, or so many milliseconds. */
  | { kind: 'slow'; timeoutMs?: number | undefined }
  /** A call whose end the test waits for. */
  | { kind: 'run'; value: Expression }
  | { kind: 'bind'; name: string; value: Expression; type?: string }
  | Expectation
  /** Begins and ends to wait for an event: around the action that causes it. */
  | { kind: 'start'; event: CodeEvent }
  | { kind: 'finish'; event: CodeEvent };

export interface Expectation {
  kind: 'expect';
  subject: Expression;
  matcher: string;
  args: readonly Expression[];
  not?: boolean;
  /** The test continues if it fails. */
  soft?: boolean;
  /** Whether Playwright repeats the assertion, or the subject, until it is true; by default it is checked once. */
  retries?: 'assertion' | 'subject';
  /** What the error says. */
  message?: string;
}

/** Something that the page does because of an action. */
export interface CodeEvent {
  /** The variable of what is waited for. */
  promise: string;
  source: Expression;
  /** The variable of the result. */
  result?: string | undefined;
  /** Type of the result. */
  type?: string | undefined;
  /** What follows the wait. */
  checks: readonly Statement[];
}

/** Something to import. Its names have to be among the reserved ones of `identifiers.ts`. */
export interface Import {
  /** The module, e.g. `node:path`. */
  from: string;
  default?: string | undefined;
  names?: readonly string[] | undefined;
}

/** What the code of an action can use. */
export interface CodeScope {
  /** The page, or the element that the step acts on. */
  subject: Expression;
  page: Expression;
  /** The context of the page. */
  context: Expression;
  /** The variable of the context that it opens. */
  openedContext: string | undefined;
  /** The second element of an action that takes one. */
  to: Expression | undefined;
  /** What a picture hides. */
  mask: readonly Expression[];
  /** What the step caused. */
  signals: readonly Signal[];
  /** The variable of the page that it opens. */
  opened: string | undefined;
  /** The variable of the latest download. */
  download: string | undefined;
  /** The steps of the same action from this one up to the next step that mutates the page. */
  companions: readonly Step[];
  /** Whether it is the first of them. */
  leads: boolean;
  /** Declares a variable: gives a name like this one that is not taken. */
  declare: (wish: string) => string;
  /** What is entered into a field; the method of a page object has a parameter for it. */
  input: (value: Json) => Expression;
}

/** What runs before or after each test. */
export type Hook = 'beforeEach' | 'afterEach';

/** A step as code generation sees it. */
export interface CodeStep extends Step {
  traits: Traits;
  /** Title of the `test.step` that it opens. */
  groupTitle: string | undefined;
  /** The hook that it opens instead. */
  hook?: Hook | undefined;
  /** The statements that do it again. Pending events of `expects` actions are finished after the next action. */
  toCode: (scope: CodeScope) => Statement[];
  /** One of its automatic assertions. */
  assert: (assertion: Assertion, scope: CodeScope) => Statement[];
}

/** The code of a value; a pattern, also in a list, becomes a regular expression. */
export function value(given: unknown): Expression {
  if (isPattern(given)) return { kind: 'pattern', pattern: given };
  if (Array.isArray(given)) return { kind: 'list', items: given.map(value) };
  return { kind: 'value', value: z.json().parse(given) };
}

/** The arguments of a call: those that are undefined, and empty options, are left out. */
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

/** Waits for a started event, and checks it. */
export function finished(event: CodeEvent): Statement[] {
  return [{ kind: 'finish', event }, ...event.checks];
}
