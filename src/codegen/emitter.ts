import path from 'node:path';
import type { Import } from './generate.js';
import { createNames } from './identifiers.js';
import { locatorCode } from './locator-code.js';
import { literal, pattern, quote } from './quote.js';
import type { LocatorChain } from '../model/locator.js';
import { referencesIn } from '../model/secrets.js';
import type { Assertion, Signal, Step } from '../model/step.js';
import { escapeRegExp } from '../model/text.js';
import { expect } from '../actions/expect.js';
import type { EmitScope } from '../actions/action.js';
import { actions, groupTitle, traitsOf } from '../actions/registry.js';

/** A step as code. */
export interface EmittedStep {
  /** Declarations of locators that it uses, and of those that only its assertions do. */
  names: string[];
  assertedNames: string[];
  /** What has to stand before the action, e.g. `const popupPromise = page.waitForEvent("popup");`. */
  before: string[];
  /** The statement that does it again; empty for what only gives structure. */
  action: string;
  /** What the test waits for because of it. */
  after: string[];
  /** What is asserted of it by itself. */
  assertions: string[];
  /** What the next step needs, after the assertions. */
  last: string[];
  /** The variables that it declares. */
  declares: string[];
  /** What it needs besides Playwright Test. */
  imports: Import[];
  /** Files that it needs, by their paths in the workspace. */
  files: string[];
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

/** Where a locator is needed: for a step's action, or for what is asserted of it. */
export interface LocatorUse {
  index: number;
  of: 'action' | 'assertion';
  /** The variable of its page. */
  page: string;
}

/** What stands for a locator in the test. */
export type Locate = (chain: LocatorChain, use: LocatorUse) => string;

/** All of a step's code but its assertions. */
export function statementOf({ before, action, after }: EmittedStep): string {
  return [...before, action, ...after].filter((line) => line !== '').join('\n');
}

/** The statement of an assertion, of the page of that name. */
export function assertionCode(
  { locator, args }: Assertion,
  page = 'page',
  subject = locator === undefined ? page : locatorCode(locator, page),
): string {
  return expect.emit({ action: expect.name, args }, { ...noScope, subject, page });
}

/** What a statement can use that stands for itself. */
export const noScope = {
  to: undefined,
  signals: [],
  opened: undefined,
  download: undefined,
  companions: [],
  leads: true,
  declare: (wish: string): string => wish,
  afterNext: (): void => undefined,
  imports: (): void => undefined,
  fromSpec: (file: string): string => file,
};

/** The code of a session's steps, each with the variables that those before it declared; `spec` is the test's path in the workspace. */
export function emitSteps(
  steps: readonly Step[],
  spec: string,
  locate: Locate = (chain, { page }) => locatorCode(chain, page),
  nameFor = createNames(),
): EmittedStep[] {
  /** The variables of pages, by their ids. */
  const variables = new Map<string, string>();
  const open = new Set(['page']);
  let front: string | undefined = 'page';
  let download: string | undefined;
  let announced: string[] = [];

  return steps.map((step, index) => {
    const page = (step.page === undefined ? undefined : variables.get(step.page)) ?? 'page';
    const declares: string[] = [];
    const imports: Import[] = [];
    const files: string[] = [];
    const emitted: EmittedStep = {
      names: [],
      assertedNames: [],
      before: [],
      action: '',
      after: [],
      assertions: [],
      last: [],
      declares,
      imports,
      files,
      page,
      note: step.note,
    };
    const action = actions.get(step.action);
    if (action === undefined || groupTitle(step) !== undefined) return emitted;

    if (front !== page && action.kind !== 'expects') {
      if (!action.switchesPage) emitted.before.push(`await ${page}.bringToFront();`);
      front = page;
    }

    let opened: string | undefined;
    const { signals = [] } = step;
    const promises = new Map<string, string>();
    for (const signal of signals) {
      // The action answers it itself.
      if (signal.type === 'filechooser') continue;
      const variable = nameFor(variableFor(signal));
      const isUsed =
        signal.type === 'download' || steps.slice(index + 1).some((later) => later.page === signal.page);
      if (isUsed) declares.push(variable);
      if (signal.type === 'download') download = variable;
      else {
        variables.set(signal.page, variable);
        open.add(variable);
        front = variable;
        opened = isUsed ? variable : undefined;
        if (action.opensPage) continue;
      }
      const promise = nameFor(`${variable}Promise`);
      // What has been asked for once is answered by the first: the next is waited for after it.
      const earlier = promises.get(signal.type);
      const wait = waitCode(signal, page);
      emitted.before.push(
        `const ${promise} = ${earlier === undefined ? wait : `${earlier}.then(() => ${wait})`};`,
      );
      promises.set(signal.type, promise);
      if (isUsed && signal.type !== 'download') emitted.last.push(`await ${variable}.waitForLoadState();`);
      emitted.after.push(isUsed ? `const ${variable} = await ${promise};` : `await ${promise};`);
      if (signal.type === 'download')
        emitted.after.push(
          `expect(${variable}.suggestedFilename())${fileNameCode(signal.suggestedFilename)};`,
        );
    }

    emitted.action = action.emit(step, {
      subject: step.locator === undefined ? page : locate(step.locator, { index, of: 'action', page }),
      page,
      to: step.to && locate(step.to, { index, of: 'action', page }),
      signals,
      opened,
      download,
      ...companionsOf(steps, index),
      declare(wish) {
        const name = nameFor(wish);
        declares.push(name);
        return name;
      },
      afterNext: (statement) => announced.push(statement),
      imports: (module) => imports.push(module),
      fromSpec(file) {
        files.push(file);
        return path.posix.relative(path.posix.dirname(spec), file);
      },
    });
    if (action.kind === 'mutates') {
      emitted.after.push(...announced);
      announced = [];
    }
    if (action.closesPage) {
      open.delete(page);
      front = open.size === 1 ? [...open][0] : undefined;
    }
    if (step.loads === true && !action.navigates && isActedOn(steps.slice(index + 1), step.page))
      emitted.last.push(`await ${page}.waitForLoadState();`);
    emitted.assertions = (step.assertions ?? []).map((assertion) => {
      const { locator } = assertion;
      const subject = locator === undefined ? page : locate(locator, { index, of: 'assertion', page });
      return assertionCode(assertion, page, subject);
    });
    return emitted;
  });
}

/** Whether something is done to an element of a page as it is now. */
function isActedOn(steps: readonly Step[], page: string | undefined): boolean {
  const next = steps.find((step) => step.page === page && traitsOf(step).kind === 'mutates');
  return next !== undefined && (next.locator !== undefined || traitsOf(next).pressesKey === true);
}

function variableFor({ type }: Signal): string {
  return type === 'page' ? 'newPage' : type;
}

function waitCode({ type }: Signal, page: string): string {
  return `${type === 'page' ? 'context' : page}.waitForEvent(${quote(type)})`;
}

/** What a file is called, as a matcher; numbers and ids in it change from run to run. */
function fileNameCode(name: string): string {
  if (referencesIn(name).length > 0) return `.toBe(${literal(name)})`;
  const parts = name.split(/([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\d+)/i);
  if (parts.length === 1) return `.toBe(${quote(name)})`;
  const source = parts.map((part, index) =>
    index % 2 === 0 ? escapeRegExp(part) : part.includes('-') ? '[\\da-f-]+' : '\\d+',
  );
  return `.toMatch(${pattern({ regex: `^${source.join('')}$` })})`;
}

function companionsOf(steps: readonly Step[], index: number): Pick<EmitScope, 'companions' | 'leads'> {
  const { action } = steps[index] ?? {};
  const acts = (step: Step): boolean => traitsOf(step).kind === 'mutates';
  const since = steps.slice(0, index).findLastIndex(acts) + 1;
  const acting = steps.findIndex((step, at) => at > index && acts(step));
  return {
    companions: steps.slice(index, Math.max(index, acting)).filter((step) => step.action === action),
    leads: !steps.slice(since, index).some((step) => step.action === action),
  };
}
