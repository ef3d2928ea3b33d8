import type { Live } from './live.js';
import type { LiveEvent } from './live-log.js';
import type { LivePage } from './live-page.js';
import type { Locator, Page } from 'playwright';
import { z } from 'zod';
import { callIsolated } from './isolated.js';
import { CodegenError } from '../model/errors.js';
import { responseWithin, within } from '../model/within.js';
import { refreshRefs, showAll, showChanges } from './snapshot-changes.js';

export type SnapshotMode = 'diff' | 'full' | 'none';

/** What a result tells of the session's pages; all of it comes from the pages and is hostile. */
export interface PageState {
  url: string;
  pageTitle: string;
  /** Id of the current page. */
  page: string;
  pages: { id: string; url: string; title: string }[];
  snapshot?: string;
  events: LiveEvent[];
}

/** Milliseconds for a page to say what it shows; one that is busy for longer does not respond. */
const answerMs = 5000;
/** Characters of a title that leave the page: more than are shown, since it is redacted before it is cut for that. */
const maxTitle = 5000;
/** Characters of a URL in a result. */
const maxUrl = 2000;
/** Bytes of a snapshot at most. */
const maxBytes = 12_000;

/**
 * The state of the pages now, with what the agent has not seen yet of the current one. `taken` is a snapshot of it that
 * still holds, where there is one.
 */
export async function pageState(live: Live, mode: SnapshotMode, taken?: string): Promise<PageState> {
  const { current } = live;
  const snapshot = await updateSnapshot(live, mode, taken);
  // Pages and events of one moment: no event speaks of a page that is not listed.
  const open = [...live.pages];
  const events = live.log.takeEvents();
  const pages = await Promise.all(
    open.map(async ({ id, page }) => ({
      id,
      url: live.log.shorten(page.url(), maxUrl),
      title: live.log.shorten(await titleOf(page)),
    })),
  );
  return {
    url: live.log.shorten(current.page.url(), maxUrl),
    pageTitle: pages.find(({ id }) => id === current.id)?.title ?? '',
    page: current.id,
    pages,
    ...(snapshot === undefined ? {} : { snapshot }),
    events,
  };
}

/** The beginning of a page's title, cut in the page. */
async function titleOf(page: Page): Promise<string> {
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
): Promise<string | undefined> {
  if (live.page.isClosed()) return mode === 'none' ? undefined : 'The page has been closed.';
  const [shown, problem] = taken === undefined ? await readSnapshot(live) : [taken];
  const snapshot = shown && secrets.redact(shown);
  if (mode === 'none') {
    // Locators may have been looked for since the last one, which leaves Playwright without references.
    if (snapshot !== undefined && live.view !== undefined) live.view = refreshRefs(live.view, snapshot);
    return undefined;
  }
  if (snapshot === undefined) return problem;
  if (snapshot === '') return 'The page is empty.';
  const update =
    live.view === undefined || mode === 'full'
      ? showAll(snapshot, maxBytes)
      : showChanges(live.view, snapshot, maxBytes);
  live.view = update.view;
  for (const line of update.view) if (line.ref !== undefined) live.shown.set(line.ref, line.text);
  return update.text;
}

/** The page's snapshot, or why there is none. */
async function readSnapshot({ page }: LivePage): Promise<[snapshot?: string, problem?: string]> {
  try {
    // Playwright's own time-out is later, so that it is known which one it was.
    return [await responseWithin(answerMs, page.ariaSnapshot({ mode: 'ai', timeout: 2 * answerMs }))];
  } catch (error) {
    const isSilent = error instanceof CodegenError;
    return [
      undefined,
      isSilent ? error.message : "The page can't be read: Playwright's snapshot of it fails.",
    ];
  }
}

/** The snapshot of one element; the references of the whole page, which it would drop, are kept working. */
export async function elementSnapshot(live: LivePage, element: Locator): Promise<string> {
  const options = { mode: 'ai', timeout: answerMs } as const;
  const part = await responseWithin(answerMs, element.ariaSnapshot(options));
  const whole = await responseWithin(answerMs, live.page.ariaSnapshot(options));
  if (live.view !== undefined) live.view = refreshRefs(live.view, whole);
  return part;
}
