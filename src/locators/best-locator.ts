import type { Frame } from 'playwright';
import { z } from 'zod';
import { callIsolated, type InPage } from '../browser/isolated.js';
import { elementSnapshot } from '../browser/element-snapshot.js';
import type { Pin } from '../browser/pin.js';
import { parseSnapshot, partsOf, roleAndName } from '../browser/snapshot.js';
import {
  isOptions,
  isPositional,
  type LocatorArgument,
  type LocatorCall,
  type LocatorChain,
} from '../model/locator.js';
import { stringsIn } from '../model/text.js';
import { answerMs, responseWithin } from '../model/within.js';
import { ancestorsOf, type Ancestor } from './ancestors.js';
import { brittleness } from './brittle.js';
import { frameChain } from './frame-chain.js';
import { toLocator } from './locator-expression.js';
import { looseForms } from './loose-forms.js';
import { matchesOf } from './matches.js';
import { mentions } from './mentions.js';
import { isAriaRole } from './roles.js';
import {
  classScopes,
  cssSubjects,
  iconFilters,
  itemClass,
  numberScopes,
  parentScopes,
  roleScopes,
  withoutExtras,
} from './scopes.js';
import { suggestionFor } from './suggestion.js';

/** Candidates in the first batch; each next batch has twice as many. */
const firstBatch = 8;
/** Maximum number of locators that are tried for a container. */
const maxContainers = 24;
/** Maximum number of ancestors of a container that are tried. */
const maxOuter = 4;
/** The locators found in each frame, by `keyOf`: an element keeps its locator as long as that matches. */
const foundIn = new WeakMap<Frame, Map<string, LocatorChain>>();
/** Maximum number of locators in the cache of a frame. */
const maxRemembered = 500;

interface LocatorOptions {
  testIdAttribute: string;
  /** Texts that the assertion expects, which the locator must not contain. */
  asserted?: readonly string[] | undefined;
}

/**
 * The best locator for a pinned element: Playwright's own suggestion, improved if it is weak (a position, a generated or
 * volatile name, concatenated texts, a name that is part of a longer one), and checked to match exactly this element.
 */
export async function bestLocator(pin: Pin, options: LocatorOptions): Promise<LocatorChain> {
  const known = foundIn.get(pin.frame)?.get(keyOf(pin, options));
  if (known !== undefined && (await firstMatch(pin, [known])) === known) return known;
  const forms = formsByRole(pin, options);
  const [index = -1] = forms.length === 0 ? [] : (await matchesOf(pin, triedChains(forms))).indexes;
  const chain = forms[index]?.emitted ?? (await searchedLocator(pin, options));
  remember(pin, options, chain);
  return chain;
}

/**
 * A pinned element's current facts and best locator; undefined if it has left its document. Takes one round trip if the
 * locator is cached, or a plain role and name.
 */
export async function locateAgain(
  pin: Pin,
  options: LocatorOptions,
): Promise<{ pin: Pin; chain: LocatorChain } | undefined> {
  const known = foundIn.get(pin.frame)?.get(keyOf(pin, options));
  const forms = known === undefined ? formsByRole(pin, options) : [{ tried: known, emitted: known }];
  const { indexes, facts } = await matchesOf(pin, triedChains(forms));
  if (facts === undefined) return undefined;
  const now = { ...pin, facts };
  const isSame = facts.role === pin.facts.role && facts.name === pin.facts.name;
  const chain = (isSame ? forms[indexes[0] ?? -1]?.emitted : undefined) ?? (await bestLocator(now, options));
  remember(now, options, chain);
  return { pin: now, chain };
}

function keyOf({ facts: { element, role, name } }: Pin, options: LocatorOptions): string {
  return JSON.stringify([element, role, name, options]);
}

/** Not in child frames: the chain begins in the main frame, and would not match in its own. */
function remember(pin: Pin, options: LocatorOptions, chain: LocatorChain): void {
  if (!pin.facts.inMainFrame) return;
  const found = foundIn.get(pin.frame) ?? new Map<string, LocatorChain>();
  foundIn.set(pin.frame, found);
  if (found.size >= maxRemembered) found.clear();
  found.set(keyOf(pin, options), chain);
}

async function searchedLocator(pin: Pin, options: LocatorOptions): Promise<LocatorChain> {
  const { frames, own: suggested } = await suggestionFor(pin);
  const own = await stableForm(pin, suggested);
  const byText = own[0]?.method === 'getByText' || own[0]?.method === 'getByLabel';
  // Playwright suggests the link or the button around it.
  const ofControl =
    options.asserted !== undefined &&
    pin.facts.inControl &&
    pin.facts.attributes.includes(options.testIdAttribute);
  const strong = !ofControl && !isWeak(own) && !byText && !mentions(own, options.asserted ?? []);
  if (strong) return [...frames, ...(await withExactName(pin.frame, own))];
  return [...frames, ...(await improved(pin, ofControl ? [] : own, options))];
}

/**
 * A locator of a container, or else of its nearest ancestor that has one, by test id, role and name, id or class;
 * undefined if there is none.
 */
export async function containerLocator(
  pin: Pin,
  { testIdAttribute, asserted = [] }: LocatorOptions,
): Promise<LocatorChain | undefined> {
  const [frames, [self, ...outer]] = await Promise.all([
    frameChain(pin.frame),
    ancestorsOf(pin, testIdAttribute),
  ]);
  if (frames === undefined || self === undefined) return undefined;
  // A filter may be the text itself or the beginning of the container's texts.
  const isAsserted = (text: string): boolean => asserted.includes(text.replace(/^\^\\s\*/, ''));
  const stable = (chain: LocatorChain): boolean =>
    brittleness(chain).size === 0 &&
    !chain.some(({ method, args }) => method === 'filter' && stringsIn(args).some(isAsserted));
  const own = await firstMatch(pin, containerForms(self).filter(stable).slice(0, maxContainers));
  if (own !== undefined) return [...frames, ...own];
  const ofOuter = outer
    .slice(0, maxOuter)
    .flatMap((scope) => containerForms({ ...scope, texts: [...self.texts, ...scope.texts] }));
  const around = await firstMatch(pin, ofOuter.filter(stable).slice(0, maxContainers), true);
  return around && [...frames, ...around];
}

const itemRoles = new Set(['listitem', 'row', 'article', 'treeitem', 'option', 'group']);

/** Locators of a container; for a repeated one, those with a text in it come first. */
function containerForms(scope: Ancestor): LocatorChain[] {
  const plain = [...roleScopes({ ...scope, texts: [] }), ...cssSubjects(scope)];
  const byText = [...roleScopes(scope), ...classScopes(scope)].filter((chain) => chain.length > 1);
  return isItem(scope) ? [...byText, ...plain] : [...plain, ...byText];
}

function isItem({ role, classNames }: Ancestor): boolean {
  return role === undefined ? classNames.some((name) => itemClass.test(name)) : itemRoles.has(role);
}

/** Attributes that Playwright prefers to a role. */
const preferredAttributes = ['data-testid', 'data-test-id', 'data-test', 'title', 'alt'];
/** The longest name that Playwright does not cut. */
export const maxWholeName = 30;

/** A locator to try in the page, and the one to emit if it matches only the element. */
interface Form {
  tried: LocatorChain;
  emitted: LocatorChain;
}

const triedChains = (forms: readonly Form[]): LocatorChain[] => forms.map((form) => form.tried);

/**
 * The locators by role and name that the search would also find, in one round trip instead of a dozen; none if something
 * else may identify the element better.
 */
function formsByRole({ facts }: Pin, { testIdAttribute, asserted }: LocatorOptions): Form[] {
  const { role, name, tagName, attributes, inControl, inMainFrame } = facts;
  if (!inMainFrame || inControl || role === undefined || !isAriaRole(role) || role === 'generic') return [];
  if (['SELECT', 'IFRAME', 'FRAME'].includes(tagName)) return [];
  const preferred = [testIdAttribute, ...preferredAttributes.slice(0, name === undefined ? undefined : 3)];
  if (attributes.some((attribute) => preferred.includes(attribute))) return [];
  const byRole = (options?: LocatorArgument): LocatorChain => [
    { method: 'getByRole', args: options === undefined ? [role] : [role, options] },
  ];
  if (name === undefined) {
    // Without a name, Playwright suggests the text.
    if (asserted === undefined || /^(?:INPUT|TEXTAREA)$/.test(tagName)) return [];
    return [{ tried: byRole(), emitted: byRole() }];
  }
  const plain = byRole({ name });
  const isWhole = name.length <= maxWholeName && !/^[\d.,]+[^.,\w]|[^.,\w][\d.,]+$/.test(name);
  if (!isWhole || isCut(plain) || brittleness(plain).size > 0 || mentions(plain, asserted ?? [])) return [];
  if ([...withoutExtras(plain), plain].flatMap(looseForms).length > 1) return [];
  const exact = byRole({ name, exact: true });
  // A longer name that contains this one, shown or hidden, makes it ambiguous.
  return [
    { tried: byRole({ name, includeHidden: true }), emitted: plain },
    { tried: exact, emitted: exact },
    { tried: plain, emitted: plain },
  ];
}

async function improved(pin: Pin, own: LocatorChain, options: LocatorOptions): Promise<LocatorChain> {
  const weakness = await textWeakness(pin, own);
  const { asserted, testIdAttribute } = options;
  const avoid = [...(asserted ?? []), ...(weakness === 'value' ? stringsIn(own[0]?.args) : [])];
  const allowed = (chain: LocatorChain): boolean =>
    !mentions(chain, avoid) &&
    !brittleness(chain).has('generated name') &&
    (asserted === undefined || chain.at(-1)?.method !== 'getByText');
  if (!isWeak(own) && allowed(own) && weakness === undefined) return own;
  const [shown, [self, ...outer]] = await Promise.all([shownAs(pin), ancestorsOf(pin, testIdAttribute)]);
  const icons = self === undefined ? [] : iconFilters(self);
  const named = subjectsOf({ ...shown, level: headingLevel(pin), icons }, own)
    .flatMap(looseForms)
    .filter(allowed);
  const byCss = self === undefined ? [] : cssSubjects(self);
  const byTag: LocatorChain = [{ method: 'locator', args: [self?.tagName ?? '*'] }];
  const inside = (scopes: LocatorChain[], subjects: LocatorChain[]): LocatorChain[] =>
    scopes.flatMap((scope) => subjects.map((subject) => [...scope, ...subject]));
  const subjects = named.length > 0 ? named : byCss;
  const byText: LocatorChain[] =
    named.length > 0 || asserted !== undefined
      ? []
      : (self?.texts.slice(0, 1) ?? []).map((text) => [
          { method: 'getByText', args: [text, { exact: true }] },
        ]);
  const groups = [
    named.filter((subject) => !isWeak(subject)),
    self === undefined ? [] : roleScopes(asserted === undefined ? self : { ...self, texts: [] }),
    byText,
    named.length > 0 ? [] : byCss,
    ...outer.map((scope) => inside([...roleScopes(scope), ...numberScopes(scope)], subjects)),
    isPlain(own) ? [own] : [],
    self === undefined || byText.length === 0 ? [] : classScopes(self),
    ...outer.map((scope) => inside(classScopes(scope), subjects)),
    ...outer.map((scope) => inside(parentScopes(scope), named)),
    named.length > 0 ? byCss : [],
    ...outer.map((scope) => inside([...roleScopes(scope), ...classScopes(scope)], byCss)),
    ...outer.map((scope) => inside([...roleScopes(scope), ...classScopes(scope)], [byTag])),
  ];
  const stable = (chain: LocatorChain): boolean => allowed(chain) && brittleness(chain).size === 0;
  const candidates = groups.flat().flatMap(looseForms).filter(stable);
  let size = firstBatch;
  for (let tried = 0; tried < candidates.length; tried += size, size *= 2) {
    const chosen = await firstMatch(pin, candidates.slice(tried, tried + size));
    if (chosen !== undefined) return chosen;
  }
  const subject = named.at(-1) ?? byTag;
  const items = outer.filter(isItem).flatMap(containerForms).filter(stable).slice(0, maxContainers);
  const item = await firstMatch(pin, items, true);
  if (item !== undefined) return byPosition(pin, subject, item);
  if (own.length > 0 && allowed(own)) return own;
  return byPosition(pin, subject);
}

/** The first chain that matches exactly the pinned element, or one around it. */
async function firstMatch(
  pin: Pin,
  chains: readonly LocatorChain[],
  orAround = false,
): Promise<LocatorChain | undefined> {
  if (chains.length === 0) return undefined;
  const { indexes } = await matchesOf(pin, chains, orAround);
  return chains[indexes[0] ?? -1];
}

/** Whether a locator may break after a small change of the page, or nobody would write it. */
function isWeak(chain: LocatorChain): boolean {
  return chain.length !== 1 || chain[0]?.method === 'locator' || brittleness(chain).size > 0;
}

/** The loosest form of a chain that still identifies the element: patterns match what changes from run to run. */
async function stableForm(pin: Pin, chain: LocatorChain): Promise<LocatorChain> {
  const whole = isCut(chain) ? await withWholeName(pin, chain) : chain;
  const forms = [...withoutExtras(whole), whole].flatMap(looseForms);
  if (forms.length === 1 && whole === chain) return chain;
  return (await firstMatch(pin, forms)) ?? chain;
}

/** Whether Playwright has cut a number off the name and left a fragment such as `Order #`. */
function isCut(chain: LocatorChain): boolean {
  const { method, args: [first, options] = [] } = chain.at(-1) ?? {};
  const name = method === 'getByText' ? first : isOptions(options) && options['name'];
  return typeof name === 'string' && /^[^\p{L}\p{N}\s("'[]|[#$€£¥:(/-]$|\bof$/u.test(name);
}

interface Shown {
  role?: string | undefined;
  name?: string | undefined;
  level?: number | undefined;
  icons?: readonly LocatorCall[];
}

function headingLevel({ facts: { tagName } }: Pin): number | undefined {
  return /^H[1-6]$/.test(tagName) ? Number(tagName.slice(1)) : undefined;
}

/** Role and name of an element. */
async function shownAs({ facts, locator }: Pin): Promise<Shown> {
  if (facts.role !== undefined) return facts;
  const [line] = parseSnapshot(await elementSnapshot(locator, answerMs));
  return line === undefined ? {} : roleAndName(line);
}

async function withWholeName(pin: Pin, chain: LocatorChain): Promise<LocatorChain> {
  const before = chain.slice(0, -1);
  if (chain.at(-1)?.method === 'getByText') {
    const [line] = parseSnapshot(await elementSnapshot(pin.locator, answerMs));
    const text = line && partsOf(line).text;
    return text === undefined ? chain : [...before, { method: 'getByText', args: [text, { exact: true }] }];
  }
  const { role, name } = await shownAs(pin);
  if (role === undefined || name === undefined || !isAriaRole(role)) return chain;
  return [...before, { method: 'getByRole', args: [role, { name }] }];
}

/**
 * Whether a locator by text depends on the value of a field, such as a label that contains a list of options, or on the
 * concatenated texts of several children.
 */
async function textWeakness({ id, frame }: Pin, chain: LocatorChain): Promise<'value' | 'glued' | undefined> {
  const method = chain.at(-1)?.method;
  if (method !== 'getByLabel' && method !== 'getByText') return undefined;
  const schema = z.enum(['value', 'glued']).optional();
  return callIsolated(frame, readTextWeakness, { arg: { id, method }, schema });
}

/** Runs in the page. */
function readTextWeakness(
  { pinned }: InPage,
  { id, method }: { id: string; method: 'getByLabel' | 'getByText' },
): 'value' | 'glued' | undefined {
  const element = pinned(id);
  if (element === undefined) return undefined;
  if (method === 'getByLabel') {
    const labels = element instanceof HTMLSelectElement ? Array.from(element.labels) : [];
    return labels.some((label) => label.contains(element)) ? 'value' : undefined;
  }
  if (element.matches('input, textarea, select, [contenteditable]')) return 'value';
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) =>
    node.textContent?.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT,
  );
  return texts.nextNode() !== null && texts.nextNode() !== null ? 'glued' : undefined;
}

/** Whether a chain uses only roles, names and texts. */
function isPlain(chain: LocatorChain): boolean {
  return chain.length > 0 && chain.every((call) => call.method.startsWith('getBy'));
}

/** Locators of the element itself by role, name or text, best first. */
function subjectsOf({ role, name, level, icons = [] }: Shown, own: LocatorChain): LocatorChain[] {
  const subjects: LocatorChain[] = [];
  if (role !== undefined && isAriaRole(role) && role !== 'generic') {
    if (name !== undefined) {
      subjects.push([{ method: 'getByRole', args: [role, { name }] }]);
      subjects.push([{ method: 'getByRole', args: [role, { name, exact: true }] }]);
      // Nothing else may distinguish the title of a page from that of a panel.
      if (level !== undefined) subjects.push([{ method: 'getByRole', args: [role, { name, level }] }]);
    }
    const byRole: LocatorCall = { method: 'getByRole', args: [role] };
    subjects.push(...(name === undefined ? icons.map((icon) => [byRole, icon]) : []), [byRole]);
  }
  const last = own.findLast((call) => !isPositional(call) && call.method !== 'filter');
  if (last?.method.startsWith('getBy') === true && last.method !== 'getByRole') subjects.unshift([last]);
  return subjects.flatMap((subject) => [...withoutExtras([...subject]), subject]);
}

/**
 * Makes the chain's name exact if a longer name on the page, visible or hidden, contains it. The plain name matches
 * whatever the exact one does, so a single match is the same element.
 */
async function withExactName(frame: Frame, chain: LocatorChain): Promise<LocatorChain> {
  const last = chain.at(-1);
  const [role, options] = last?.args ?? [];
  if (last?.method !== 'getByRole' || role === undefined || !isOptions(options)) return chain;
  if (typeof options['name'] !== 'string' || 'exact' in options) return chain;
  const before = chain.slice(0, -1);
  const hidden = [...before, { ...last, args: [role, { ...options, includeHidden: true }] }];
  if ((await countOf(frame, hidden)) < 2) return chain;
  const exact = [...before, { ...last, args: [role, { ...options, exact: true }] }];
  return (await countOf(frame, exact)) === 1 ? exact : chain;
}

function countOf(frame: Frame, chain: LocatorChain): Promise<number> {
  return responseWithin(answerMs, toLocator(frame, chain).count());
}

/** The position of an element among those like it, in a container or in the page. */
async function byPosition(
  { id, frame }: Pin,
  chain: LocatorChain,
  container: LocatorChain = [],
): Promise<LocatorChain> {
  const own = chain.map((call): LocatorCall =>
    call.method === 'getByRole' ? { method: 'getByRole', args: call.args.slice(0, 1) } : call,
  );
  const general = [...container, ...own];
  const index = await callIsolated(
    toLocator(frame, general),
    ({ elements, pinned }, pin) => elements.findIndex((element) => element === pinned(pin)),
    { arg: id, schema: z.int() },
  );
  return index < 0 ? [...container, ...chain] : [...general, { method: 'nth', args: [index] }];
}
