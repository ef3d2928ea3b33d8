import {
  camelCase,
  createNames,
  elementName,
  identifier,
  pascalCase,
  reservedMembers,
  reservedVariables,
  variableName,
  wordsOf,
} from '../codegen/identifiers.js';
import { locatorCode } from '../codegen/locator-code.js';
import type { PageObject } from '../codegen/page-object.js';
import { comment, quote } from '../codegen/quote.js';
import type { ParameterData } from '../codegen/template-data.js';
import { canonical } from '../codegen/tokens.js';
import { CodegenError } from '../model/errors.js';
import type { Json } from '../model/json.js';
import type { LocatorChain } from '../model/locator.js';
import type { Assertion, Step } from '../model/step.js';
import { valueCode } from './action.js';
import { emitSteps, noScope, type EmittedStep, type LocatorUse } from './emitter.js';
import { enters, formName, isSearch, methodName, submits } from './method-names.js';
import { actions } from './registry.js';
import { pageNames, passagesOf, type Passage, type Route } from './routes.js';

/** A page object that is on the disk. */
export interface ExistingPage {
  /** What it consists of; undefined where that can't be told. */
  page: PageObject | undefined;
  /** Whether it is as it was generated, so that it may be extended. */
  isUntouched: boolean;
}

/** A page object that a flow uses, with what earlier flows had of it. */
export interface PlannedPage extends PageObject {
  /** The file's name without its extension, e.g. `login-page`. */
  file: string;
  /** Whether a person has changed it, so that it stays as it is. */
  isFrozen: boolean;
}

export interface Story {
  /** The steps as code, in which page objects are used. */
  emitted: EmittedStep[];
  pages: PlannedPage[];
  /** Page objects that are made before anything else. */
  made: { variable: string; page: PlannedPage }[];
}

/** A page object in the making. */
interface Draft extends PlannedPage {
  nameFor: (wish: string) => string;
  /** Names of fields by the code of their locators. */
  known: Map<string, string>;
}

/**
 * Writes a flow with page objects, for the test at `spec` in the workspace: one for each route, extended where it is
 * there already. Throws FILE_CHANGED where one that a person has changed lacks what the flow needs.
 */
export function planStory(
  steps: readonly Step[],
  spec: string,
  baseURL: string | undefined,
  existing: ReadonlyMap<string, ExistingPage>,
): Story {
  const passages = passagesOf(steps, baseURL);
  const nameFor = createNames(reservedVariables);
  const shelf = createShelf(existing);
  /** The variables of page objects, by that of the page and the file. */
  const variables = new Map<string, string>();
  const made: Story['made'] = [];
  /** Page objects of other pages, made where they are first used. */
  const later: { index: number; variable: string; page: string; draft: Draft }[] = [];

  const variableOf = (draft: Draft, page: string, index: number): string => {
    const key = `${page} ${draft.file}`;
    const known = variables.get(key);
    if (known !== undefined) return known;
    const variable = nameFor(camelCase(wordsOf(draft.className, 20)));
    variables.set(key, variable);
    if (page === 'page') made.push({ variable, page: draft });
    else later.push({ index, variable, page, draft });
    return variable;
  };

  const locate = (chain: LocatorChain, { index, of, page }: LocatorUse): string => {
    const passage = passages[index];
    const route = passage?.[of === 'action' ? 'before' : 'after'];
    if (route === undefined) return locatorCode(chain, page);
    const step = steps[index];
    // A method that takes the text as a parameter has no use for a field.
    if (of === 'action' && step !== undefined && isMethod(step, passage) && filterOf(step) !== undefined)
      return locatorCode(chain, page);
    const draft = shelf.draftOf(route);
    return `${variableOf(draft, page, index)}.${fieldOf(draft, chain)}`;
  };

  const emitted = emitSteps(steps, spec, locate, nameFor);
  for (let index = 0; index < steps.length; index++) {
    const run = runFrom(index, steps, passages, emitted);
    const call = run === undefined ? undefined : callOf(run, steps, passages, shelf);
    if (run === undefined || call === undefined) continue;
    const last = run.at(-1) ?? index;
    const [first, final] = [emitted[index], emitted[last]];
    if (first === undefined || final === undefined) continue;
    const variable = variableOf(call.draft, first.page, index);
    final.action = `await ${variable}.${call.method}(${call.args.join(', ')});`;
    final.calls = { file: call.draft.file, method: call.method, steps: run };
    if (last !== index) {
      final.before = [...first.before, ...final.before];
      for (const silent of run.slice(0, -1).map((each) => emitted[each]))
        if (silent !== undefined) Object.assign(silent, { before: [], action: '', assertions: [] });
    }
    index = last;
  }
  for (const { index, variable, page, draft } of later.reverse()) {
    const at = emitted.slice(index).find(({ action, assertions }) => action !== '' || assertions.length > 0);
    at?.before.unshift(`const ${variable} = new ${draft.className}(${page});`);
    at?.declares.push(variable);
    at?.imports.push({ from: moduleOf(draft), names: [draft.className] });
  }
  return { emitted, pages: shelf.drafts(), made };
}

/** The module of a page object, as the specs beside its directory import it. */
export function moduleOf({ file }: Pick<PlannedPage, 'file'>): string {
  return `./pages/${file}.js`;
}

/** The page objects of one story, by their routes. */
function createShelf(existing: ReadonlyMap<string, ExistingPage>): {
  draftOf: (route: Route) => Draft;
  drafts: () => Draft[];
} {
  const drafts = new Map<string, Draft>();
  const taken = new Set<string>();

  const create = (route: Route): Draft => {
    const lines = comment(`The page at ${route.path}.`);
    const names = pageNames(route);
    const longest = names.at(-1) ?? [];
    for (let number = 1; ; number++) {
      const words = names[number - 1] ?? [...longest, String(number - names.length + 1)];
      const file = `${words.join('-')}-page`;
      const found = existing.get(file);
      const isOther = found !== undefined && found.page?.comment.join('\n') !== lines.join('\n');
      if (taken.has(file) || isOther) continue;
      taken.add(file);
      const page = found?.page ?? {
        className: `${pascalCase(words)}Page`,
        comment: lines,
        fields: [],
        methods: [],
      };
      const members = [...page.fields, ...page.methods].map(({ name }) => name);
      return {
        ...page,
        fields: [...page.fields],
        methods: [...page.methods],
        file,
        isFrozen: found?.isUntouched === false,
        nameFor: createNames([...reservedMembers, ...members]),
        known: new Map(page.fields.map(({ name, code }) => [canonical(code), name])),
      };
    }
  };

  return {
    draftOf(route) {
      const draft = drafts.get(route.path) ?? create(route);
      drafts.set(route.path, draft);
      return draft;
    },
    drafts: () => [...drafts.values()],
  };
}

/** The field of a locator, which is added where it is missing. */
function fieldOf(draft: Draft, chain: LocatorChain): string {
  const code = locatorCode(chain);
  const same = canonical(code);
  const known = draft.known.get(same);
  if (known !== undefined) return known;
  const name = draft.nameFor(variableName(elementName(chain)));
  requireOpen(draft, name);
  draft.fields.push({ name, code });
  draft.known.set(same, name);
  return name;
}

/** The name of a method that does this, which is added where it is missing. */
function methodOf(
  draft: Draft,
  wish: string,
  parameters: readonly ParameterData[],
  statements: readonly string[],
): string {
  const form = (method: { parameters: readonly ParameterData[]; statements: readonly string[] }): string =>
    JSON.stringify([method.parameters, method.statements.map(canonical)]);
  const wanted = form({ parameters, statements });
  const isLike = (name: string): boolean => name.startsWith(wish);
  const known = draft.methods.find((method) => isLike(method.name) && form(method) === wanted);
  if (known !== undefined) return known.name;
  const isTaken = [...draft.fields, ...draft.methods].some(({ name }) => name === wish);
  const withParameters = `${wish}With${pascalCase(parameters.map(({ name }) => name))}`;
  const name = draft.nameFor(isTaken && parameters.length > 0 ? withParameters : wish);
  requireOpen(draft, `${name}()`);
  draft.methods.push({ name, parameters: [...parameters], statements: [...statements] });
  return name;
}

function requireOpen({ isFrozen, file, className }: Draft, missing: string): void {
  if (!isFrozen) return;
  throw new CodegenError(
    'FILE_CHANGED',
    `pages/${file} was emitted by this tool and edited since, and ${className} lacks ${missing}.`,
    {
      hint: `It stays as it is. Add ${missing} to it by hand, end the session with a file in another directory, which gets page objects of its own, or move the page object away.`,
    },
  );
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

/** Actions that become methods; what else an element is good for is done with the field. */
const methodActions = new Set([
  'click',
  'dblclick',
  'tap',
  'fill',
  'pressSequentially',
  'clear',
  'check',
  'uncheck',
  'selectOption',
  'press',
  'goto',
]);

function isMethod(step: Step, passage: Passage | undefined): boolean {
  if (!methodActions.has(step.action)) return false;
  if (step.action !== 'goto') return step.locator !== undefined && passage?.before !== undefined;
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
  if (step.action === 'check' || step.action === 'uncheck') return matcher === 'toBeChecked';
  if (not === true) return false;
  if (step.action === 'selectOption') return matcher === 'toHaveValue' || matcher === 'toHaveValues';
  const { value = '' } = step.args;
  return (matcher === 'toHaveValue' && expected === value) || (matcher === 'toBeEmpty' && value === '');
}

interface Call {
  draft: Draft;
  method: string;
  args: string[];
}

/** Stands for an argument while a statement is made. */
const placeholder = 'codegen-session-parameter';

/** The call that does the steps of a run; undefined where the page object can't have its method. */
function callOf(
  run: readonly number[],
  steps: readonly Step[],
  passages: readonly Passage[],
  { draftOf }: ReturnType<typeof createShelf>,
): Call | undefined {
  const [first = 0] = run;
  const [step, passage] = [steps[first], passages[first]];
  const last = steps[run.at(-1) ?? first];
  if (step === undefined || last === undefined || passage === undefined) return undefined;
  if (step.action === 'goto') return openingOf(step, passage, draftOf);
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
    const own = element.words.length > 0 ? element.words : [element.kind];
    const name = parameterFor(isSearch(locator) ? 'text' : identifier(own));
    parameters.push({ name, type: typeof given.value === 'string' ? 'string' : 'string[]' });
    args.push(valueCode(given.value));
    const standIn = { ...rest, locator, args: { ...rest.args, [given.name]: placeholder } };
    return [code(standIn).replace(quote(placeholder), name)];
  });
  const element = elementName(last.locator ?? []);
  const wish = run.length > 1 ? formName(last, element) : methodName(last, element, isToggle(last, steps));
  return { draft, method: methodOf(draft, wish, parameters, statements), args };
}

function codeOf(step: Step, subject: string): string {
  return actions.get(step.action)?.emit(step, { ...noScope, subject, page: 'this.page' }) ?? '';
}

/** `goto` of the page that it leads to, unless that has another one. */
function openingOf(
  { args: { url = '' } }: Step,
  { after }: Passage,
  draftOf: (route: Route) => Draft,
): Call | undefined {
  if (after === undefined) return undefined;
  const draft = draftOf(after);
  const code = `await this.page.goto(${valueCode(url)});`;
  const known = draft.methods.find(({ name }) => name === 'goto');
  const isOther = known !== undefined && known.statements.map(canonical).join('\n') !== canonical(code);
  return isOther ? undefined : { draft, method: methodOf(draft, 'goto', [], [code]), args: [] };
}

/** The text by which a click tells one of several elements that are alike, which becomes a parameter. */
function filterOf({ action, locator = [] }: Step): { text: string; at: number } | undefined {
  if (!['click', 'dblclick', 'tap'].includes(action)) return undefined;
  const at = locator.findIndex(({ method }) => method === 'filter');
  const [options] = locator[at]?.args ?? [];
  const isAlone = typeof options === 'object' && Object.keys(options).join() === 'hasText';
  const text = isAlone && 'hasText' in options ? options.hasText : undefined;
  return typeof text === 'string' && at < locator.length - 1 ? { text, at } : undefined;
}

/** What a step enters, which becomes a parameter. */
function argumentOf({ action, args }: Step): { name: string; value: Json } | undefined {
  const name = action === 'selectOption' ? 'values' : 'value';
  const value = action === 'press' ? undefined : args[name];
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
