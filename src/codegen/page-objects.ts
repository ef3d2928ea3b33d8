import { camelCase, createNames, testVariables, wordsOf } from './identifiers.js';
import type { LocatorChain } from '../model/locator.js';
import { property, run, variable, type CodeStep, type Expression } from '../model/code.js';
import { emitSteps, locatorOf, type EmittedStep, type LocatorUse } from './emitter.js';
import { callsOf, takesText } from './page-calls.js';
import { createShelf, fieldOf, type Draft, type ExistingPage, type PlannedPage } from './page-shelf.js';
import { passagesOf } from './routes.js';
import { hasWord, type Uniques } from './rows.js';

interface Story {
  /** The steps as code, in which page objects are used. */
  emitted: EmittedStep[];
  pages: PlannedPage[];
  /** Page objects that are created at the start. */
  made: { variable: string; page: PlannedPage }[];
}

/**
 * Writes a flow with page objects: one for each route, extended if it already
 * exists. Throws FILE_CHANGED if one that a person has changed lacks what the flow needs.
 */
export function planStory(
  steps: readonly CodeStep[],
  baseURL: string | undefined,
  { existing, uniques = {} }: { existing: ReadonlyMap<string, ExistingPage>; uniques?: Uniques },
): Story {
  const passages = passagesOf(steps, baseURL);
  const nameFor = createNames([...testVariables, ...Object.keys(uniques)]);
  const shelf = createShelf(existing);
  /** The variables of page objects, by that of the page and the file. */
  const variables = new Map<string, string>();
  const made: Story['made'] = [];
  /** Page objects of other pages, made where they are first used. */
  const later: { index: number; name: string; page: string; draft: Draft }[] = [];

  const variableOf = (draft: Draft, page: string, index: number): string => {
    const key = `${page} ${draft.file}`;
    const known = variables.get(key);
    if (known !== undefined) return known;
    const name = nameFor(camelCase(wordsOf(draft.className, 20)));
    variables.set(key, name);
    if (page === 'page') made.push({ variable: name, page: draft });
    else later.push({ index, name, page, draft });
    return name;
  };

  const locate = (chain: LocatorChain, { index, of, page }: LocatorUse): Expression => {
    const passage = passages[index];
    const route = passage?.[of === 'action' ? 'before' : 'after'];
    // A page object does not know the variables of a test.
    if (route === undefined || hasWord(chain, uniques)) return locatorOf(chain, page);
    // A method that takes the text as a parameter has no use for a field.
    if (of === 'action' && takesText(steps[index], passage)) return locatorOf(chain, page);
    const draft = shelf.draftOf(route);
    return property(variable(variableOf(draft, page, index)), fieldOf(draft, chain));
  };

  const emitted = emitSteps(steps, locate, nameFor);
  for (const { steps: done, draft, method, args } of callsOf(steps, passages, emitted, {
    ...shelf,
    uniques,
  })) {
    const [first = 0] = done;
    const [opening, ...others] = done.flatMap((index) => emitted[index] ?? []);
    const closing = others.at(-1) ?? opening;
    if (opening === undefined || closing === undefined) continue;
    const object = variable(variableOf(draft, opening.page, first));
    const { before } = opening;
    for (const silent of done.length === 1 ? [] : [opening, ...others.slice(0, -1)])
      Object.assign(silent, { before: [], action: [], assertions: [] });
    closing.before = closing === opening ? before : [...before, ...closing.before];
    closing.action = [run(object, method, ...args)];
    closing.calls = { file: draft.file, method, steps: done };
  }
  for (const { index, name, page, draft } of later.reverse()) {
    const { className } = draft;
    const module = { from: moduleOf(draft), names: [className] };
    const object: Expression = { kind: 'new', className, module, args: [variable(page)] };
    const at = emitted.slice(index).find((each) => each.action.length > 0 || each.assertions.length > 0);
    at?.before.unshift({ kind: 'bind', name, value: object, type: className });
  }
  return { emitted, pages: shelf.drafts(), made };
}

/** The module of a page object, as the specs beside its directory import it. */
export function moduleOf({ file }: Pick<PlannedPage, 'file'>): string {
  return `./pages/${file}.js`;
}
