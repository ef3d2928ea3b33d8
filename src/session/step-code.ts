import { expect } from '../actions/expect.js';
import { codeSteps } from '../actions/registry.js';
import { emitSteps, locatorOf, statementsOf } from '../codegen/emitter.js';
import { variablesOf } from '../codegen/source.js';
import { print, Printer } from '../codegen/printer.js';
import type { LocatorChain } from '../model/locator.js';
import type { Assertion, Step } from '../model/step.js';
import type { Session } from './session.js';

/** The code of a single step. */
interface StepCode {
  code: string;
  /** Its automatic assertions. */
  assertions: string[];
}

/** The code of a session's steps, for the test at `spec` in the workspace. */
export function stepCode(steps: readonly Step[], spec: string, uniques?: Session['uniques']): StepCode[] {
  const variables = variablesOf(steps, uniques);
  return emitSteps(codeSteps(steps)).map((emitted) => ({
    code: print([...emitted.names, ...statementsOf(emitted)], spec, variables),
    assertions: emitted.assertions.map((each) => print(each, spec, variables)),
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
