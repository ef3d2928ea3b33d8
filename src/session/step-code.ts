import { expect } from '../actions/expect.js';
import { codeSteps } from '../actions/registry.js';
import { emitSteps, locatorOf, statementsOf } from '../codegen/emitter.js';
import { print, Printer } from '../codegen/printer.js';
import type { LocatorChain } from '../model/locator.js';
import type { Assertion, Step } from '../model/step.js';

/** A step as the test says it, alone. */
export interface StepCode {
  code: string;
  /** Its automatic assertions. */
  assertions: string[];
}

/** The code of a session's steps, for the test at `spec` in the workspace. */
export function stepCode(steps: readonly Step[], spec: string): StepCode[] {
  return emitSteps(codeSteps(steps)).map((emitted) => ({
    code: print([...emitted.names, ...statementsOf(emitted)], spec),
    assertions: emitted.assertions.map((each) => print(each, spec)),
  }));
}

/** The code of an assertion, on the first page. */
export function assertionCode(assertion: Assertion): string {
  const [step] = stepCode([{ action: expect.name, ...assertion }], '');
  return step?.code ?? '';
}

/** The code of a locator, on the first page. */
export function locatorCode(chain: LocatorChain): string {
  return new Printer().expression(locatorOf(chain, 'page'));
}
