import { wordsOf } from './identifiers.js';
import type { LocatorChain } from '../model/locator.js';
import type { CodeStep } from '../model/code.js';
import { parseUrl } from '../model/parse-url.js';

/** The page that something belongs to, as page objects distinguish pages. */
export interface Route {
  /** Its path, with `:id` for what differs from record to record; after the host if that is another one. */
  path: string;
  /** Whether it matches only one address. */
  isFixed: boolean;
}

/** Where a step began, and where it led. */
export interface Passage {
  before: Route | undefined;
  after: Route | undefined;
}

const id = /^(?:\d+|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|(?=.*\d)[\da-f]{8,}|(?=.*\d)[\w-]{20,})$/i;

/** The routes of a flow, step by step. */
export function passagesOf(steps: readonly CodeStep[], baseURL: string | undefined): Passage[] {
  const addresses = new Map<string | undefined, URL>();
  const visits = steps.map((step) => {
    const before = addresses.get(step.page);
    const { url } = step.args;
    const led = step.leadsTo ?? (step.traits.opensUrl && typeof url === 'string' ? url : undefined);
    const after = (led === undefined ? undefined : parseUrl(led, baseURL)) ?? before;
    if (after !== undefined) addresses.set(step.page, after);
    return { step, before, after };
  });
  const home = visits.find(({ after }) => after !== undefined)?.after?.host;
  const single = singlePages(visits);
  const routeOf = (address: URL | undefined): Route | undefined => {
    if (address === undefined || !/^https?:$/.test(address.protocol)) return undefined;
    const shown = address.pathname + (single.has(address.pathname) ? '' : hashPath(address));
    const path = shown.replace(/[^/]+/g, (name) => (id.test(name) ? ':id' : name));
    return { path: address.host === home ? path : `//${address.host}${path}`, isFixed: path === shown };
  };
  return visits.map(({ before, after }) => ({ before: routeOf(before), after: routeOf(after) }));
}

/** The part of an address behind `#` that is a path. */
function hashPath({ hash }: URL): string {
  return /^#!?\//.test(hash) ? (hash.split('?')[0] ?? '') : '';
}

/** Paths whose page is the same whatever the fragment is: an element of it, other than a link, is used at several. */
function singlePages(visits: readonly { step: CodeStep; before: URL | undefined }[]): Set<string> {
  const seen = new Map<string, string>();
  const single = new Set<string>();
  for (const { step, before } of visits) {
    if (step.locator === undefined || before === undefined || isLink(step.locator)) continue;
    const key = JSON.stringify([before.pathname, step.locator]);
    const hash = hashPath(before);
    if (seen.has(key) && seen.get(key) !== hash) single.add(before.pathname);
    seen.set(key, hash);
  }
  return single;
}

function isLink(chain: LocatorChain): boolean {
  const [role] = chain.at(-1)?.args ?? [];
  return role === 'link';
}

/** Last parts of a path that say nothing without the one before. */
const vague = new Set('new edit create update details detail view show settings list search'.split(' '));

/** What the page of a route may be called, in words, the best first. */
export function pageNames({ path }: Route): string[][] {
  const parts = path
    .replace(/^\/\/[^/]+/, '')
    .split(/[/#!]+/)
    .map((part) => decode(part).replace(/\.(?:html?|php|aspx?|jsp)$/i, ''))
    .filter((part) => part !== '');
  if (/^(?:index|default|home)$/i.test(parts.at(-1) ?? '')) parts.pop();
  const named = parts.flatMap((part, index) => {
    const words = part === ':id' ? [] : wordsOf(part, 3);
    if (words.length > 1 && words.at(-1) === 'page') words.pop();
    if (words.length === 0) return [];
    return [parts[index + 1] === ':id' ? [...words.slice(0, -1), singular(words.at(-1) ?? '')] : words];
  });
  const first = vague.has(named.at(-1)?.join(' ') ?? '') ? 2 : 1;
  const names = named.map((_, index) => named.slice(Math.max(0, named.length - first - index)).flat());
  const distinct = names.filter((name, index) => name.join() !== names[index - 1]?.join());
  const all = distinct.length > 0 ? distinct : [[parts.length === 0 ? 'home' : 'inner']];
  return all.map((words) => (/^\d/.test(words[0] ?? '') ? ['the', ...words] : words));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function singular(word: string): string {
  return word.replace(/ies$/, 'y').replace(/([^s])s$/, '$1');
}
