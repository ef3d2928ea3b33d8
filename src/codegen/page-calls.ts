import { createNames, elementName, identifier, reservedVariables } from './identifiers.js';
import type { ParameterData } from './template-data.js';
import type { LocatorChain } from '../model/locator.js';
import type { Json } from '../model/json.js';
import { value, variable, type CodeStep, type Expression } from '../model/code.js';
import type { Assertion } from '../model/step.js';
import { bareScope, type EmittedStep } from './emitter.js';
import { enters, formName, isSearch, methodName, submits } from './method-names.js';
import { fieldOf, methodOf, thisPage, type Draft, type Shelf } from './page-shelf.js';
import { syntaxOf } from './syntax.js';
import { Printer } from './printer.js';
import type { Passage, Route } from './routes.js';
import { hasWord, type Uniques } from './rows.js';

/** A call of a page object's method. */
interface Call {
  /** The steps that it does, by their indexes. */
  steps: readonly number[];
  draft: Draft;
  method: string;
  args: Expression[];
}

/** The calls that a flow is written with, in its order; the other steps use fields of the page objects. */
export function callsOf(
  steps: readonly CodeStep[],
  passages: readonly Passage[],
  emitted: readonly EmittedStep[],
  shelf: Shelf & { uniques: Uniques },
): Call[] {
  const runs: number[][] = [];
  for (let index = 0; index < steps.length; index++) {
    const run = runFrom(index, steps, passages, emitted);
    if (run === undefined) continue;
    runs.push(run);
    index = run.at(-1) ?? index;
  }
  const keyOf = (run: readonly number[]): string =>
    JSON.stringify([passages[run[0] ?? 0]?.before?.path, wishOf(run, steps)]);
  const forms = new Set(runs.filter((run) => run.length > 1).map(keyOf));
  const callOfRun = (run: readonly number[]): Call | undefined => {
    // What fills in a form and sends it off gets the name; sending it off alone is a click of its button.
    const isBare = run.length === 1 && run.every((index) => isBareClick(steps[index]));
    return isBare && forms.has(keyOf(run)) ? undefined : callOf(run, steps, passages, shelf);
  };
  return runs.flatMap((run) => {
    const whole = callOfRun(run);
    const calls = whole === undefined && run.length > 1 ? run.map((index) => callOfRun([index])) : [whole];
    return calls.filter((call) => call !== undefined);
  });
}

function isBareClick(step: CodeStep | undefined): boolean {
  return step !== undefined && submits(step) && filterOf(step) === undefined;
}

/** Whether a step's method takes the text that identifies its element as a parameter. */
export function takesText(step: CodeStep | undefined, passage: Passage | undefined): boolean {
  return step !== undefined && isMethod(step, passage) && filterOf(step) !== undefined;
}

/** The steps from one on that one method does, by their indexes; undefined if none does. */
function runFrom(
  start: number,
  steps: readonly CodeStep[],
  passages: readonly Passage[],
  emitted: readonly EmittedStep[],
): number[] | undefined {
  const step = steps[start];
  if (step === undefined || !isMethod(step, passages[start])) return undefined;
  const path = passages[start]?.before?.path;
  for (let end = start; ; end++) {
    const [current, next] = [steps[end], steps[end + 1]];
    if (current === undefined || next === undefined || !enters(current)) break;
    const joins =
      isSilent(current, emitted[end], end === start) &&
      isMethod(next, passages[end + 1]) &&
      passages[end + 1]?.before?.path === path &&
      next.page === step.page &&
      next.note === undefined;
    if (!joins) break;
    if (submits(next) && filterOf(next) === undefined)
      return Array.from({ length: end + 2 - start }, (_, offset) => start + offset);
  }
  return [start];
}

/** Whether a step becomes a method; what else an element is good for is done with the field. */
function isMethod(step: CodeStep, passage: Passage | undefined): boolean {
  const { clicks, pressesKey, opensUrl } = step.traits;
  if (!opensUrl) {
    const isLike = clicks === true || pressesKey === true || enters(step);
    return isLike && step.locator !== undefined && passage?.before !== undefined;
  }
  const { url } = step.args;
  return passage?.after?.isFixed === true && typeof url === 'string';
}

/** Whether the code of a step that enters something is only its action. */
function isSilent(step: CodeStep, emitted: EmittedStep | undefined, isFirst: boolean): boolean {
  if (emitted === undefined || step.leadsTo !== undefined || step.signals !== undefined) return false;
  const rest = [...emitted.after, ...emitted.last, ...(isFirst ? [] : emitted.before)];
  return rest.length === 0 && (step.assertions ?? []).every((assertion) => isImplied(assertion, step));
}

/** Whether Playwright's own action sees to what is asserted of its element. */
export function isImplied({ locator, args }: Assertion, step: CodeStep): boolean {
  const { matcher, expected, not } = args;
  if (JSON.stringify(locator) !== JSON.stringify(step.locator)) return false;
  const { toggles, selects } = step.traits;
  if (toggles) return matcher === 'toBeChecked';
  if (not === true) return false;
  if (selects) return matcher === 'toHaveValue' || matcher === 'toHaveValues';
  const { value = '' } = step.args;
  return (matcher === 'toHaveValue' && expected === value) || (matcher === 'toBeEmpty' && value === '');
}

/** The call that does the steps of a run; undefined if the page object can't have its method. */
function callOf(
  run: readonly number[],
  steps: readonly CodeStep[],
  passages: readonly Passage[],
  { draftOf, uniques }: Shelf & { uniques: Uniques },
): Call | undefined {
  const [first = 0] = run;
  const [step, passage] = [steps[first], passages[first]];
  if (step === undefined || passage === undefined) return undefined;
  // A page object does not know the variables of a test.
  const parts = run.map((index) => [steps[index]?.locator, steps[index]?.args['url']]);
  if (hasWord(parts, uniques)) return undefined;
  if (step.traits.opensUrl) return openingOf(run, step, passage, draftOf);
  if (passage.before === undefined) return undefined;
  const draft = draftOf(passage.before);
  const parameterFor = createNames(reservedVariables);
  const parameters: ParameterData[] = [];
  const args: Expression[] = [];
  /** The variable of a parameter for a value. */
  const parameter = (wish: string, given: Json): Expression => {
    const name = parameterFor(wish);
    parameters.push({ name, type: Array.isArray(given) ? 'string[]' : 'string' });
    args.push(value(given));
    return variable(name);
  };
  const statements = run
    .flatMap((index) => steps[index] ?? [])
    .flatMap((step) => {
      const { locator = [] } = step;
      const filter = filterOf(step);
      if (filter === undefined) {
        const subject = variable(`this.${fieldOf(draft, locator)}`);
        const input = (given: Json): Expression => parameter(parameterName(locator), given);
        return step.toCode({ ...bareScope(thisPage, subject), input });
      }
      const wish = elementName(locator.slice(0, filter.at)).kind.replace(/s$/, '');
      const text = parameter(wish, filter.text);
      return step.toCode(
        bareScope(thisPage, {
          kind: 'locator',
          page: thisPage,
          chain: locator,
          filter: { at: filter.at, text },
        }),
      );
    });
  const method = methodOf(draft, wishOf(run, steps), parameters, statements);
  return method === undefined ? undefined : { steps: run, draft, method, args };
}

/** What the parameter for the value of a field is called. */
function parameterName(locator: LocatorChain): string {
  if (isSearch(locator)) return 'text';
  const { words, context, kind } = elementName(locator);
  return identifier(words.length > 0 ? words : context.length > 0 ? context : [kind]);
}

/** The best name for a method that performs these steps. */
function wishOf(run: readonly number[], steps: readonly CodeStep[]): string {
  const last = steps[run.at(-1) ?? 0];
  if (last === undefined) return '';
  const element = elementName(last.locator ?? []);
  return run.length > 1 ? formName(last, element) : methodName(last, element, isToggle(last, steps));
}

/** `goto` of the page that it leads to, unless that has another one. */
function openingOf(
  run: readonly number[],
  step: CodeStep,
  { after }: Passage,
  draftOf: (route: Route) => Draft,
): Call | undefined {
  if (after === undefined) return undefined;
  const draft = draftOf(after);
  const code = step.toCode(bareScope(thisPage));
  const statements = code.map((each) => syntaxOf(new Printer().statement(each)));
  const known = draft.methods.find(({ name }) => name === 'goto');
  const isOther = known !== undefined && known.statements.map(syntaxOf).join('\n') !== statements.join('\n');
  const method = isOther ? undefined : methodOf(draft, 'goto', [], code);
  return method === undefined ? undefined : { steps: run, draft, method, args: [] };
}

/** The text by which a click identifies one of several similar elements, which becomes a parameter. */
function filterOf(step: CodeStep): { text: string; at: number } | undefined {
  const { locator = [] } = step;
  if (!step.traits.clicks) return undefined;
  const at = locator.findIndex(({ method }) => method === 'filter');
  const [options] = locator[at]?.args ?? [];
  const isAlone = typeof options === 'object' && Object.keys(options).join() === 'hasText';
  const text = isAlone && 'hasText' in options ? options.hasText : undefined;
  return typeof text === 'string' && at < locator.length - 1 ? { text, at } : undefined;
}

/** Whether the flow shows that an element switches something on and off. */
function isToggle({ locator }: CodeStep, steps: readonly CodeStep[]): boolean {
  const key = JSON.stringify(locator);
  return steps.some(({ assertions = [], ...step }) =>
    [...assertions, { locator: step.locator, args: step.args }].some(
      ({ locator: asserted, args: { name } }) =>
        JSON.stringify(asserted) === key && (name === 'aria-expanded' || name === 'aria-pressed'),
    ),
  );
}
