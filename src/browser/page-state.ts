import { setImmediate } from 'node:timers/promises';
import type { Live } from './live.js';
import type { LiveEvent } from './live-log.js';
import type { LivePage } from './live-page.js';
import type { Locator } from 'playwright';
import { z } from 'zod';
import { callIsolated } from './isolated.js';
import { CodegenError } from '../model/errors.js';
import { PageText } from '../model/page-text.js';
import { maskTyped } from './typed-secrets.js';
import { answerMs, pageSilent, responseWithin, within } from '../model/within.js';
import { cutSnapshot, parseSnapshot } from './snapshot.js';
import { findLines, type FoundLines } from './snapshot-find.js';
import { printTree, treeOf } from './snapshot-tree.js';
import { pairsOf, printChanges, refreshRefs, showAll } from './snapshot-changes.js';
import { snapshotOf, wholeSnapshot, withHiddenParts } from './hidden-parts.js';
import { leftOut, withoutLongRuns } from './long-runs.js';
import { withAttributes } from './nameless.js';
import { maxTitle } from './settle.js';

type SnapshotMode = 'diff' | 'full' | 'none';

/** What a result reports about the session's pages. */
export interface PageState {
  url: string | PageText;
  pageTitle: PageText;
  /** Id of the current page. */
  page: string;
  /** All pages, if the list has changed since the last result with it. */
  pages?: { id: string; url: string | PageText; title: PageText }[];
  snapshot?: string | PageText;
  events: LiveEvent[];
}

/** Maximum size of a snapshot; a result with less room shortens it. */
const maxBytes = 14_000;

/**
 * The current state of the pages, with what the agent has not yet seen of the current one. `taken` is a snapshot of it
 * that is still valid, if any; `settled`: the current page has just settled.
 */
export async function pageState(
  live: Live,
  mode: SnapshotMode,
  { taken, settled = false }: { taken?: string | undefined; settled?: boolean } = {},
): Promise<PageState> {
  const { current } = live;
  const titleNow = settled ? current.settling.settledDocument()?.title : undefined;
  const snapshot = await updateSnapshot(live, mode, taken);
  // Taken together, so that no event names a page that is not listed.
  const open = [...live.pages];
  const events = live.log.takeEvents();
  const pages = await Promise.all(
    open.map(async (entry) => ({
      id: entry.id,
      url: live.log.url(entry.page.url()),
      title: live.log.pageText((entry === current ? titleNow : undefined) ?? (await titleOf(entry))),
    })),
  );
  // The result contains the URL of a single page anyway.
  const listed = JSON.stringify(pages.map(({ id, url }) => (pages.length === 1 ? id : [id, url])));
  const isListed = live.listedPages === listed;
  live.listedPages = listed;
  return {
    url: live.log.url(current.page.url()),
    pageTitle: pages.find(({ id }) => id === current.id)?.title ?? new PageText(''),
    page: current.id,
    ...(isListed ? {} : { pages }),
    ...(snapshot === undefined ? {} : { snapshot }),
    events,
  };
}

/** The start of a page's title, cut in the page. */
async function titleOf({ page, settling }: LivePage): Promise<string> {
  if (await settling.isSilent()) return '';
  const title = callIsolated(page.mainFrame(), (_, length) => document.title.slice(0, length), {
    arg: maxTitle,
    schema: z.string().max(maxTitle),
  });
  return (await within(answerMs, title)) ?? '';
}

async function updateSnapshot(
  { current: live, secrets }: Live,
  mode: SnapshotMode,
  taken?: string,
): Promise<string | PageText | undefined> {
  if (live.page.isClosed()) return mode === 'none' ? undefined : 'The page has been closed.';
  const [shown, problem] = taken === undefined ? await readSnapshot(live) : [taken];
  const hidden = { hasClosedRoots: live.settling.hasClosedRoots() };
  const whole = shown && (await withHiddenParts(live.page, await withAttributes(live.page, shown), hidden));
  await setImmediate();
  const snapshot = whole && secrets.redact(whole);
  await setImmediate();
  if (mode === 'none') {
    // A search for locators since the last snapshot has invalidated Playwright's references.
    if (snapshot !== undefined && live.view !== undefined) live.view = refreshRefs(live.view, snapshot);
    return undefined;
  }
  if (snapshot === undefined) return problem;
  if (snapshot === '') return 'The page is empty.';
  const known = mode === 'full' ? undefined : live.view;
  const pairs = known && pairsOf(known, snapshot);
  await setImmediate();
  const update =
    pairs === undefined ? showAll(snapshot, maxBytes) : printChanges(pairs, snapshot.length, maxBytes);
  live.view = update.view;
  for (const line of update.view) if (line.ref !== undefined) live.shown.set(line.ref, line.text);
  return update.kind === 'unchanged'
    ? update.text
    : new PageText(update.text, { shorter: (bytes) => update.shorter(Math.min(bytes, maxBytes)) });
}

/** Milliseconds between two snapshots of one call, at most. */
const sameCallMs = 2000;
/** Time-out of a snapshot after a script was stopped that blocked the page. */
const stoppedMs = 500;

/** The page's snapshot, or why there is none. */
async function readSnapshot({
  page,
  settling,
  unreadAt = -Infinity,
}: LivePage): Promise<[snapshot?: string, problem?: string]> {
  try {
    // What a call has waited for in vain is not waited for again.
    if (performance.now() - unreadAt < sameCallMs || (await settling.isSilent())) throw pageSilent();
    const snapshot = snapshotOf(page, settling.settledDocument()?.elements);
    if (settling.wasStopped()) await responseWithin(stoppedMs, snapshot);
    return [await maskTyped(page, await snapshot)];
  } catch (error) {
    const isSilent = error instanceof CodegenError;
    if (isSilent) settling.suspect();
    return [
      undefined,
      isSilent ? error.message : "The page can't be read: Playwright can't take a snapshot of it.",
    ];
  }
}

/** A part of a page, and what to find in it. */
interface Search {
  element?: Locator | undefined;
  matches?: ((line: string) => boolean) | undefined;
  /** The text that `matches` looks for; undefined for a regular expression. */
  text?: string | undefined;
}

/**
 * The snapshot of an element or of the page, or only its matching lines. Keeps the references of the whole page valid,
 * which the snapshot of a part would invalidate.
 */
export async function partOfSnapshot(
  { current: live, secrets }: Live,
  { element, matches, text }: Search,
): Promise<string | PageText> {
  const { page, settling } = live;
  if (await settling.isSilent()) throw pageSilent();
  const options = { mode: 'ai', timeout: answerMs } as const;
  const elements = settling.settledDocument()?.elements ?? 0;
  const taken = await withoutLongRuns(page, { elements, element, text }, async () => ({
    part: element && (await responseWithin(answerMs, element.ariaSnapshot(options))),
    whole: await wholeSnapshot(page),
  }));
  const hidden = { hasClosedRoots: settling.hasClosedRoots() };
  const whole = await withHiddenParts(page, await withAttributes(page, cutSnapshot(taken.whole)), hidden);
  if (live.view !== undefined)
    live.view = refreshRefs(live.view, secrets.redact(await maskTyped(page, whole)));
  await setImmediate();
  const { part } = taken;
  // Redacted before the search, which could otherwise reveal a secret.
  const shown = part === undefined ? whole : await withAttributes(page, cutSnapshot(part));
  const snapshot = secrets.redact(await maskTyped(page, shown));
  await setImmediate();
  if (matches === undefined) return condensed(snapshot, true);
  const searched = part ?? taken.whole;
  const isPartial = leftOut(page).length > 0 || cutSnapshot(searched) !== searched;
  return found(findLines(snapshot, matches, maxBytes), isPartial);
}

const partial = 'The page is large, so not all of it was searched; use `target` to search a part.';

function found({ count, text, shorter }: FoundLines, isPartial: boolean): string | PageText {
  if (count === 0) return isPartial ? `No line matches. ${partial}` : 'No line matches.';
  const note = isPartial ? `\n- … ${partial}` : '';
  return new PageText(text + note, { shorter: (bytes) => shorter(bytes - note.length) + note });
}

/** Condenses a snapshot; `isWhole` keeps long runs of similar siblings. */
export function condensed(snapshot: string, isWhole = false): PageText {
  const tree = treeOf(parseSnapshot(snapshot));
  const print = (bytes: number): string => printTree(tree, { maxBytes: bytes, whole: isWhole }).join('\n');
  return new PageText(print(maxBytes), { shorter: print });
}

/** Maximum length of an attribute, and maximum numbers of elements and of similar siblings. */
const maxAttribute = 200;
const maxElements = 30;
const maxAlike = 3;
/** Maximum depth at which elements are read. */
const maxLevels = 200;

/** The opening tags of an element and its first descendants, and how many similar siblings follow. */
export async function attributesOf({ log }: Live, element: Locator): Promise<PageText> {
  const tags = await callIsolated(element, openingTags, {
    arg: { maxElements, maxAlike, maxLevels, maxLength: 10 * maxAttribute },
    schema: z.array(openingTag),
  });
  const lines = tags.map(({ depth, tag, attributes, left }) => {
    const shown = attributes.map(
      ([name = '', value = '']) =>
        ` ${log.shorten(name, maxAttribute)}=${JSON.stringify(log.shorten(value, maxAttribute))}`,
    );
    const indent = '  '.repeat(depth);
    return left > 0 ? `${indent}… ${left} more <${tag}>` : `${indent}<${tag}${shown.join('')}>`;
  });
  return new PageText(lines.join('\n'));
}

const openingTag = z.object({
  depth: z.int(),
  tag: z.string(),
  attributes: z.array(z.string()).array(),
  /** For how many siblings that are left out it stands. */
  left: z.int(),
});

/** Runs in the page. */
function openingTags(
  { elements: [root] }: { elements: Element[] },
  {
    maxElements,
    maxAlike,
    maxLevels,
    maxLength,
  }: Record<'maxElements' | 'maxAlike' | 'maxLevels' | 'maxLength', number>,
): z.infer<typeof openingTag>[] {
  const tags: z.infer<typeof openingTag>[] = [];
  const visit = (element: Element, depth: number, level: number): void => {
    // How an element looks and where a shape is do not identify it.
    const ofShape =
      element instanceof SVGElement
        ? /^(?:d|[xyrf]|[cr]?[xy]|[xy][12]|width|height|points|transform|viewBox|fill|stroke|font|text|pointer)(?:-.*)?$/
        : /^(?:width|height)$/;
    const names = element
      .getAttributeNames()
      .filter((name) => !/^(?:style|value|on.*|srcset)$/.test(name) && !ofShape.test(name));
    const tag = element.localName;
    const isShown = names.length > 0 || element === root;
    if (isShown) {
      const valueOf = (name: string): string => (element.getAttribute(name) ?? '').slice(0, maxLength);
      const attributes = names.map((name) => [name.slice(0, maxLength), valueOf(name)]);
      tags.push({ depth, tag, attributes, left: 0 });
    }
    let alike = 0;
    let before = '';
    for (const child of Array.from(element.children)) {
      if (tags.length >= maxElements || level === maxLevels) return;
      const kind = `${child.localName} ${child.getAttribute('class') ?? ''}`;
      alike = kind === before ? alike + 1 : 1;
      before = kind;
      const last = tags.at(-1);
      if (alike <= maxAlike) visit(child, isShown ? depth + 1 : depth, level + 1);
      else if (alike === maxAlike + 1)
        tags.push({ depth: isShown ? depth + 1 : depth, tag: child.localName, attributes: [], left: 1 });
      else if (last !== undefined) last.left++;
    }
  };
  if (root !== undefined) visit(root, 0, 0);
  return tags;
}
