import { createNames, elementName, identifier, reservedVariables } from './identifiers.js';
import { locatorCode } from './locator-code.js';
import { quote } from './quote.js';
import type { ParameterData } from './template-data.js';
import { canonical } from './tokens.js';
import type { Json } from '../model/json.js';
import type { Assertion, Step } from '../model/step.js';
import { valueCode } from '../actions/action.js';
import { noScope, type EmittedStep } from './emitter.js';
import { enters, formName, isSearch, methodName, submits } from './method-names.js';
import { fieldOf, methodOf, type Draft, type Shelf } from './page-shelf.js';
import { actions, traitsOf } from '../actions/registry.js';
import type { Passage, Route } from './routes.js';

/** A call of a page object's method. */
export interface Call {
  /** The steps that it does, by their indexes. */
  steps: readonly number[];
  draft: Draft;
  method: string;
  /** The arguments' source. */
  args: string[];
}

/** The calls that a flow is written with, in its order; the other steps use fields of the page objects. */
export function callsOf(
  steps: readonly Step[],
  passages: readonly Passage[],
  emitted: readonly EmittedStep[],
  shelf: Shelf,
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

function isBareClick(step: Step | undefined): boolean {
  return step !== undefined && submits(step) && filterOf(step) === undefined;
}

/** Whether a step's method takes the text by which its element is told from others. */
export function takesText(step: Step | undefined, passage: Passage | undefined): boolean {
  return step !== undefined && isMethod(step, passage) && filterOf(step) !== undefined;
}

/** The steps from one on that one method does, by their indexes; undefined where none does. */
function runFrom(
  start: number,
  steps: readonly Step[],
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
function isMethod(step: Step, passage: Passage | undefined): boolean {
  const { clicks, pressesKey, opensUrl } = traitsOf(step);
  if (!opensUrl) {
    const isLike = clicks === true || pressesKey === true || enters(step);
    return isLike && step.locator !== undefined && passage?.before !== undefined;
  }
  const { url } = step.args;
  return passage?.after?.isFixed === true && typeof url === 'string' && !url.includes('{{');
}

/** Whether nothing but its action has to be said of a step that enters something. */
function isSilent(step: Step, emitted: EmittedStep | undefined, isFirst: boolean): boolean {
  if (emitted === undefined || step.leadsTo !== undefined || step.signals !== undefined) return false;
  const rest = [...emitted.after, ...emitted.last, ...(isFirst ? [] : emitted.before)];
  return rest.length === 0 && (step.assertions ?? []).every((assertion) => isImplied(assertion, step));
}

/** Whether Playwright's own action sees to what is asserted of its element. */
function isImplied({ locator, args }: Assertion, step: Step): boolean {
  const { matcher, expected, not } = args;
  if (JSON.stringify(locator) !== JSON.stringify(step.locator)) return false;
  const { toggles, selects } = traitsOf(step);
  if (toggles) return matcher === 'toBeChecked';
  if (not === true) return false;
  if (selects) return matcher === 'toHaveValue' || matcher === 'toHaveValues';
  const { value = '' } = step.args;
  return (matcher === 'toHaveValue' && expected === value) || (matcher === 'toBeEmpty' && value === '');
}

/** Stands for an argument while a statement is made. */
const placeholder = 'codegen-session-parameter';

/** The call that does the steps of a run; undefined where the page object can't have its method. */
function callOf(
  run: readonly number[],
  steps: readonly Step[],
  passages: readonly Passage[],
  { draftOf }: Shelf,
): Call | undefined {
  const [first = 0] = run;
  const [step, passage] = [steps[first], passages[first]];
  if (step === undefined || passage === undefined) return undefined;
  if (traitsOf(step).opensUrl) return openingOf(run, step, passage, draftOf);
  if (passage.before === undefined) return undefined;
  const draft = draftOf(passage.before);
  const parameterFor = createNames(reservedVariables);
  const parameters: ParameterData[] = [];
  const args: string[] = [];
  const statements = run.flatMap((index) => {
    const { locator = [], ...rest } = steps[index] ?? { action: '', args: {} };
    const given = argumentOf(rest);
    const filter = filterOf({ ...rest, locator });
    if (filter !== undefined) {
      const name = parameterFor(elementName(locator.slice(0, filter.at)).kind.replace(/s$/, ''));
      parameters.push({ name, type: 'string' });
      args.push(valueCode(filter.text));
      const like = locator.with(filter.at, { method: 'filter', args: [{ hasText: placeholder }] });
      return [codeOf(rest, locatorCode(like, 'this.page')).replace(quote(placeholder), name)];
    }
    const subject = `this.${fieldOf(draft, locator)}`;
    const code = (each: Step): string => codeOf(each, subject);
    if (given === undefined) return [code({ ...rest, locator })];
    const element = elementName(locator);
    const telling = element.words.length > 0 ? element.words : element.context;
    const own = telling.length > 0 ? telling : [element.kind];
    const name = parameterFor(isSearch(locator) ? 'text' : identifier(own));
    parameters.push({ name, type: typeof given.value === 'string' ? 'string' : 'string[]' });
    args.push(valueCode(given.value));
    const standIn = { ...rest, locator, args: { ...rest.args, [given.name]: placeholder } };
    return [code(standIn).replace(quote(placeholder), name)];
  });
  const method = methodOf(draft, wishOf(run, steps), parameters, statements);
  return method === undefined ? undefined : { steps: run, draft, method, args };
}

/** What the method that does these steps is best called. */
function wishOf(run: readonly number[], steps: readonly Step[]): string {
  const last = steps[run.at(-1) ?? 0];
  if (last === undefined) return '';
  const element = elementName(last.locator ?? []);
  return run.length > 1 ? formName(last, element) : methodName(last, element, isToggle(last, steps));
}

function codeOf(step: Step, subject: string): string {
  return actions.get(step.action)?.emit(step, { ...noScope, subject, page: 'this.page' }) ?? '';
}

/** `goto` of the page that it leads to, unless that has another one. */
function openingOf(
  run: readonly number[],
  { args: { url = '' } }: Step,
  { after }: Passage,
  draftOf: (route: Route) => Draft,
): Call | undefined {
  if (after === undefined) return undefined;
  const draft = draftOf(after);
  const code = `await this.page.goto(${valueCode(url)});`;
  const known = draft.methods.find(({ name }) => name === 'goto');
  const isOther = known !== undefined && known.statements.map(canonical).join('\n') !== canonical(code);
  const method = isOther ? undefined : methodOf(draft, 'goto', [], [code]);
  return method === undefined ? undefined : { steps: run, draft, method, args: [] };
}

/** The text by which a click tells one of several elements that are alike, which becomes a parameter. */
function filterOf(step: Step): { text: string; at: number } | undefined {
  const { locator = [] } = step;
  if (!traitsOf(step).clicks) return undefined;
  const at = locator.findIndex(({ method }) => method === 'filter');
  const [options] = locator[at]?.args ?? [];
  const isAlone = typeof options === 'object' && Object.keys(options).join() === 'hasText';
  const text = isAlone && 'hasText' in options ? options.hasText : undefined;
  return typeof text === 'string' && at < locator.length - 1 ? { text, at } : undefined;
}

/** What a step enters, which becomes a parameter. */
function argumentOf(step: Step): { name: string; value: Json } | undefined {
  const name = traitsOf(step).selects ? 'values' : 'value';
  const value = enters(step) ? step.args[name] : undefined;
  return value === undefined ? undefined : { name, value };
}

/** Whether the flow shows that an element switches something on and off. */
function isToggle({ locator }: Step, steps: readonly Step[]): boolean {
  const key = JSON.stringify(locator);
  return steps.some(({ assertions = [], ...step }) =>
    [...assertions, { locator: step.locator, args: step.args }].some(
      ({ locator: asserted, args: { name } }) =>
        JSON.stringify(asserted) === key && (name === 'aria-expanded' || name === 'aria-pressed'),
    ),
  );
}
