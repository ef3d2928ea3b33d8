import type { ElementHandle, Frame, Locator } from 'playwright';
import {
  isOptions,
  isPositional,
  type LocatorArgument,
  type LocatorCall,
  type LocatorChain,
} from '../model/locator.js';
import { escapeRegExp, stringsIn } from '../model/text.js';
import { isVolatile } from '../model/volatile.js';
import { surroundings, type Surrounding } from './ancestors.js';
import { brittleness, isGenerated, isTellingClass } from './brittle.js';
import { looseForms } from './loose-forms.js';
import { parseLocatorExpression, toLocator } from './locator-expression.js';
import type { Pin } from '../browser/pin.js';
import { isRole } from './roles.js';
import { parseSnapshot, roleAndName } from '../browser/snapshot.js';

/** Candidates that are tried at once: the first that fits is taken, and each costs the page time. */
const atOnce = 3;

export interface LocatorWishes {
  testIdAttribute: string;
  /** The texts that are asserted of the element: its own text must not tell which element is meant. */
  asserted?: readonly string[];
}

/**
 * The locator that a good engineer would write for a pinned element: Playwright's own judgement, bettered where it
 * is weak (a position, a name that a tool made up or that is another one in the next run, texts glued together, a name
 * that a longer one hides behind), and checked to match exactly this element.
 */
export async function bestLocator(pin: Pin, wishes: LocatorWishes): Promise<LocatorChain> {
  const [normalized, frames] = await Promise.all([pin.locator.normalize(), frameChain(pin.frame)]);
  const suggestion = suggested(normalized.toString());
  const inFrame = suggestion.findLastIndex((call) => call.method === 'contentFrame') + 1;
  const within = frames ?? suggestion.slice(0, inFrame);
  const own = await lastingForm(pin, suggestion.slice(inFrame));
  const byText = own[0]?.method === 'getByText' || own[0]?.method === 'getByLabel';
  const strong = !isWeak(own) && !byText && !mentions(own, wishes.asserted ?? []);
  if (strong) return [...within, ...(await withExactName(pin.frame, own))];
  const handle = await pin.locator.elementHandle();
  try {
    return [...within, ...(await betterAsBefore(pin, handle, own, wishes))];
  } finally {
    await handle.dispose();
  }
}

/** What was found in each frame, by what it was found for. */
const foundIn = new WeakMap<Frame, Map<string, LocatorChain>>();
/** Locators that are remembered of one frame. */
const rememberedAtMost = 500;

/** An element that was told before is told the same way, as long as that fits: it takes long to find one. */
async function betterAsBefore(
  pin: Pin,
  handle: ElementHandle<Element>,
  own: LocatorChain,
  wishes: LocatorWishes,
): Promise<LocatorChain> {
  const found = foundIn.get(pin.frame) ?? new Map<string, LocatorChain>();
  foundIn.set(pin.frame, found);
  const key = JSON.stringify([own, wishes]);
  const known = found.get(key);
  if (known !== undefined && (await matchesOnly(pin.frame, known, handle))) return known;
  const chain = await better(pin, handle, own, wishes);
  if (found.size >= rememberedAtMost) found.clear();
  found.set(key, chain);
  return chain;
}

async function better(
  pin: Pin,
  handle: ElementHandle<Element>,
  own: LocatorChain,
  wishes: LocatorWishes,
): Promise<LocatorChain> {
  const weakness = await textWeakness(handle, own);
  const { asserted } = wishes;
  const avoid = [...(asserted ?? []), ...(weakness === 'value' ? stringsIn(own[0]?.args) : [])];
  const fits = (chain: LocatorChain): Promise<boolean> => matchesOnly(pin.frame, chain, handle);
  const allowed = (chain: LocatorChain): boolean =>
    !mentions(chain, avoid) &&
    !brittleness(chain).has('generated name') &&
    (asserted === undefined || chain.at(-1)?.method !== 'getByText');

  if (!isWeak(own) && allowed(own) && weakness === undefined) return own;

  const [snapshot, around] = await Promise.all([
    pin.locator.ariaSnapshot(),
    handle.evaluate(surroundings, wishes.testIdAttribute),
  ]);
  const [self, ...outer] = around;
  const named = subjectsOf(snapshot, own).flatMap(looseForms).filter(allowed);
  const byTag: LocatorChain = [{ method: 'locator', args: [self?.tagName ?? '*'] }];
  const subjects = named.length > 0 ? named : [byTag];
  const inside = (scopes: LocatorChain[]): LocatorChain[] =>
    scopes.flatMap((scope) => subjects.map((subject) => [...scope, ...subject]));
  const ways = [
    subjects.filter((subject) => !isWeak(subject)),
    self === undefined ? [] : roleScopes(asserted === undefined ? self : { ...self, texts: [] }),
    ...outer.map((scope) => inside(roleScopes(scope))),
    isPlain(own) ? [own] : [],
    ...outer.map((scope) => inside(classScopes(scope))),
  ];
  for (const way of ways) {
    const candidates = way
      .flatMap(looseForms)
      .filter((chain) => allowed(chain) && brittleness(chain).size === 0);
    for (let tried = 0; tried < candidates.length; tried += atOnce) {
      const some = candidates.slice(tried, tried + atOnce);
      const verdicts = await Promise.all(some.map(fits));
      const chosen = some[verdicts.indexOf(true)];
      if (chosen !== undefined) return chosen;
    }
  }
  return own.length > 0 && allowed(own) ? own : byPosition(pin.frame, handle, subjects.at(-1) ?? byTag);
}

/** A locator that may not survive a small change of the page, or that nobody would have written. */
function isWeak(chain: LocatorChain): boolean {
  return chain.length !== 1 || chain[0]?.method === 'locator' || brittleness(chain).size > 0;
}

/** The form of a chain that leaves most open of what changes from run to run, and tells the element all the same. */
async function lastingForm({ frame, locator }: Pin, chain: LocatorChain): Promise<LocatorChain> {
  const whole = isCut(chain) ? await withWholeName(locator, chain) : chain;
  const forms = looseForms(whole);
  if (forms.length === 1 && whole === chain) return chain;
  const handle = await locator.elementHandle();
  try {
    const verdicts = await Promise.all(forms.map((form) => matchesOnly(frame, form, handle)));
    return forms[verdicts.indexOf(true)] ?? chain;
  } finally {
    await handle.dispose();
  }
}

/** Whether Playwright has left out the number at an end of a name, and what is left hangs in the air: `Order #`. */
function isCut(chain: LocatorChain): boolean {
  const [, options] = chain.at(-1)?.args ?? [];
  const name = isOptions(options) ? options['name'] : undefined;
  return typeof name === 'string' && /^[^\p{L}\p{N}\s("'[]|[#$€£¥:(/-]$|\bof$/u.test(name);
}

async function withWholeName(locator: Locator, chain: LocatorChain): Promise<LocatorChain> {
  const [line] = parseSnapshot(await locator.ariaSnapshot());
  const { role, name } = line === undefined ? {} : roleAndName(line);
  if (role === undefined || name === undefined || !isRole(role)) return chain;
  return [...chain.slice(0, -1), { method: 'getByRole', args: [role, { name }] }];
}

/** Playwright's judgement; empty where it names what its own types do not take, e.g. the role `mark`. */
function suggested(normalized: string): LocatorChain {
  try {
    return parseLocatorExpression(normalized);
  } catch {
    return [];
  }
}

/**
 * Whether a locator by text rests on the value of a field, as the text of a label does that holds a list of options, or
 * on texts of several children glued together.
 */
async function textWeakness(
  handle: ElementHandle<Element>,
  chain: LocatorChain,
): Promise<'value' | 'glued' | undefined> {
  const method = chain.at(-1)?.method;
  if (method === 'getByLabel')
    return handle.evaluate((element) => {
      const labels = element instanceof HTMLSelectElement ? Array.from(element.labels) : [];
      return labels.some((label) => label.contains(element)) ? 'value' : undefined;
    });
  if (method !== 'getByText') return undefined;
  return handle.evaluate((element) => {
    if (element.matches('input, textarea, select, [contenteditable]')) return 'value';
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) =>
      node.textContent?.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT,
    );
    return texts.nextNode() !== null && texts.nextNode() !== null ? 'glued' : undefined;
  });
}

/** Whether a chain tells by roles and names alone. */
function isPlain(chain: LocatorChain): boolean {
  return chain.length > 0 && chain.every((call) => call.method.startsWith('getBy'));
}

/** What the element itself can be called, the best first. */
function subjectsOf(snapshot: string, own: LocatorChain): LocatorChain[] {
  const [element] = parseSnapshot(snapshot);
  const { role, name } = element === undefined ? {} : roleAndName(element);
  const subjects: LocatorChain[] = [];
  if (role !== undefined && isRole(role) && role !== 'generic') {
    if (name !== undefined) {
      subjects.push([{ method: 'getByRole', args: [role, { name }] }]);
      subjects.push([{ method: 'getByRole', args: [role, { name, exact: true }] }]);
    }
    subjects.push([{ method: 'getByRole', args: [role] }]);
  }
  const last = own.findLast((call) => !isPositional(call) && call.method !== 'filter');
  if (last?.method.startsWith('getBy') === true && last.method !== 'getByRole') subjects.unshift([last]);
  if (subjects.length === 0 && last !== undefined) subjects.push([last]);
  return subjects;
}

/** Ways to pick one of several by a text in it that holds still. */
function filters(texts: readonly string[]): LocatorCall[] {
  return texts.filter((text) => !isVolatile(text)).flatMap(filtersFor);
}

/** Ways to pick one of several by a text in it, the plainest first. */
function filtersFor(text: string): LocatorCall[] {
  const exactly: LocatorChain = [{ method: 'getByText', args: [text, { exact: true }] }];
  const beginning = { regex: `^\\s*${escapeRegExp(text)}` };
  const options: LocatorArgument[] = [
    { hasText: text },
    { has: { locator: exactly } },
    { hasText: beginning },
  ];
  return options.map((option) => ({ method: 'filter', args: [option] }));
}

/** What surrounds the element, told by test id, role, name or a text in it. */
function roleScopes({ role, name, testId, texts }: Surrounding): LocatorChain[] {
  const scopes: LocatorChain[] = testId === undefined ? [] : [[{ method: 'getByTestId', args: [testId] }]];
  if (role === undefined || !isRole(role)) return scopes;
  if (name !== undefined) scopes.push([{ method: 'getByRole', args: [role, { name }] }]);
  const byRole: LocatorCall = { method: 'getByRole', args: [role] };
  scopes.push(...filters(texts).map((filter) => [byRole, filter]));
  if (name === undefined && texts.length === 0) scopes.push([byRole]);
  return scopes;
}

/** What surrounds the element, told by a class and a text in it: for pages without roles. */
function classScopes({ role, classNames, texts }: Surrounding): LocatorChain[] {
  if (role !== undefined) return [];
  return classNames
    .filter(isTellingClass)
    .slice(0, 2)
    .flatMap((className) => {
      const byClass: LocatorCall = { method: 'locator', args: [`.${className}`] };
      return [...filters(texts).map((filter) => [byClass, filter]), [byClass]];
    });
}

/**
 * The chain, with an exact name where a longer name that contains it stands in the page, shown or hidden. What an
 * exact name matches the plain one matches too, so one match is the same element.
 */
async function withExactName(frame: Frame, chain: LocatorChain): Promise<LocatorChain> {
  const last = chain.at(-1);
  const [role, options] = last?.args ?? [];
  if (last?.method !== 'getByRole' || role === undefined || !isOptions(options)) return chain;
  if (typeof options['name'] !== 'string' || 'exact' in options) return chain;
  const before = chain.slice(0, -1);
  const hidden = [...before, { ...last, args: [role, { ...options, includeHidden: true }] }];
  if ((await toLocator(frame, hidden).count()) < 2) return chain;
  const exact = [...before, { ...last, args: [role, { ...options, exact: true }] }];
  return (await toLocator(frame, exact).count()) === 1 ? exact : chain;
}

async function byPosition(
  frame: Frame,
  handle: ElementHandle<Element>,
  chain: LocatorChain,
): Promise<LocatorChain> {
  const general = chain.map((call): LocatorCall =>
    call.method === 'getByRole' ? { method: 'getByRole', args: call.args.slice(0, 1) } : call,
  );
  const index = await toLocator(frame, general).evaluateAll((elements, element) => {
    return elements.findIndex((other) => other === element);
  }, handle);
  return index < 0 ? chain : [...general, { method: 'nth', args: [index] }];
}

function matchesOnly(frame: Frame, chain: LocatorChain, handle: ElementHandle<Element>): Promise<boolean> {
  return toLocator(frame, chain).evaluateAll(
    (elements, element) => elements.length === 1 && elements[0] === element,
    handle,
  );
}

/** Whether a text of the chain contains one of the given ones, as `getByText` would compare them. */
function mentions(chain: LocatorChain, strings: readonly string[]): boolean {
  const folded = strings.map(fold).filter((text) => text !== '');
  const texts = chain.flatMap((call) =>
    stringsIn(call.method === 'getByRole' ? call.args.slice(1) : call.args),
  );
  return texts.some((text) => folded.some((part) => fold(text).includes(part)));
}

function fold(text: string): string {
  return text.replace(/\s+/g, ' ').trim().toLowerCase();
}

/** The way from the page into a frame by each frame's name, title or source; undefined where only a position tells. */
async function frameChain(frame: Frame): Promise<LocatorChain | undefined> {
  const parent = frame.parentFrame();
  if (parent === null) return [];
  const outer = await frameChain(parent);
  if (outer === undefined) return undefined;
  const element = await frame.frameElement();
  try {
    const attributes = await element.evaluate((iframe) => {
      const read = (name: string): string | null =>
        iframe instanceof Element ? iframe.getAttribute(name) : null;
      return { name: read('name'), title: read('title'), src: read('src'), testId: read('data-testid') };
    });
    for (const [attribute, value] of Object.entries(attributes)) {
      if (value === null || value === '' || value.length > 200 || isGenerated(value) || isVolatile(value))
        continue;
      const selector = `iframe[${attribute === 'testId' ? 'data-testid' : attribute}=${cssString(value)}]`;
      const frames = toLocator(parent, [{ method: 'locator', args: [selector] }]);
      if ((await frames.count()) === 1)
        return [...outer, { method: 'locator', args: [selector] }, { method: 'contentFrame', args: [] }];
    }
    return undefined;
  } finally {
    await element.dispose();
  }
}

/** A CSS string, see https://www.w3.org/TR/cssom-1/#serialize-a-string. */
function cssString(value: string): string {
  const escaped = Array.from(value, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return character < ' ' || character === '\u007f'
      ? `\\${character.charCodeAt(0).toString(16)} `
      : character;
  });
  return `"${escaped.join('')}"`;
}
