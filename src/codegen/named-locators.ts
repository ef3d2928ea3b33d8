import { createNames, elementName, variableName } from './identifiers.js';
import type { LocatorChain } from '../model/locator.js';
import { variable, type CodeStep, type Statement } from '../model/code.js';
import { emitSteps, locatorOf, type EmittedStep, type LocatorUse } from './emitter.js';
import { Printer } from './printer.js';
import { passagesOf } from './routes.js';

/** Uses of a locator from which on it gets a name, and the length of its code. */
const usesAtLeast = 3;
const lengthAtLeast = 40;

/** A locator that is used again and again while a page is shown. */
interface Repeated {
  chain: LocatorChain;
  uses: LocatorUse[];
  /** Groups that it is used in, by the index of their `step`. */
  groups: Set<number>;
}

/** The code of a session's steps, in which long locators that are used often while a page is shown have a name. */
export function emitNamed(steps: readonly CodeStep[], baseURL: string | undefined): EmittedStep[] {
  const repeated = new Map<string, Repeated>();
  const passages = passagesOf(steps, baseURL);
  let visit = 0;
  const visits = steps.map((step, index) => {
    const before = visit;
    const { before: from, after: to } = passages[index] ?? {};
    if (step.loads === true || from?.path !== to?.path) visit++;
    return { action: before, assertion: visit };
  });
  const groups = steps.map((_, index) =>
    steps.slice(0, index + 1).findLastIndex((step) => step.groupTitle !== undefined),
  );
  const keyOf = (chain: LocatorChain, { index, of, page }: LocatorUse): string => {
    // What opens a page is in its group; so is what is named in that page.
    const scope = page === 'page' ? '' : groups[index];
    return JSON.stringify([page, visits[index]?.[of], scope, chain]);
  };

  emitSteps(steps, (chain, use) => {
    const key = keyOf(chain, use);
    const known = repeated.get(key) ?? { chain, uses: [], groups: new Set() };
    repeated.set(key, known);
    known.uses.push(use);
    known.groups.add(groups[use.index] ?? -1);
    return locatorOf(chain, use.page);
  });

  const nameFor = createNames();
  const names = new Map<string, string>();
  const declarations: { use: LocatorUse; code: Statement; group: number | undefined }[] = [];
  const declared = new Set<string>();
  for (const [key, { chain, uses, groups: usedIn }] of repeated) {
    const [use] = uses;
    if (use === undefined || uses.length < usesAtLeast) continue;
    const locator = locatorOf(chain, use.page);
    const same = JSON.stringify(locator);
    if (new Printer().expression(locator).length < lengthAtLeast || declared.has(same)) continue;
    declared.add(same);
    const name = nameFor(variableName(elementName(chain)));
    names.set(key, name);
    const group = usedIn.size > 1 ? groups[use.index] : undefined;
    declarations.push({ use, code: { kind: 'bind', name, value: locator }, group });
  }
  const emitted = emitSteps(
    steps,
    (chain, use) => {
      const name = names.get(keyOf(chain, use));
      return name === undefined ? locatorOf(chain, use.page) : variable(name);
    },
    nameFor,
  );
  for (const { use, code, group } of declarations) {
    // A group's own variables end with it, so what several use is declared before the first of them.
    const isOutside = group !== undefined && group !== -1;
    const place = emitted[isOutside ? group : use.index];
    (isOutside || use.of === 'action' ? place?.names : place?.assertedNames)?.push(code);
  }
  return emitted;
}
