import type { Live } from './live.js';
import type { LiveEvent } from './live-log.js';
import type { LivePage } from './live-page.js';
import type { Locator } from 'playwright';
import { within } from '../model/within.js';
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
      url: page.url(),
      title: (await within(answerMs, page.title())) ?? '',
    })),
  );
  return {
    url: current.page.url(),
    pageTitle: pages.find(({ id }) => id === current.id)?.title ?? '',
    page: current.id,
    pages,
    ...(snapshot === undefined ? {} : { snapshot }),
    events,
  };
}

async function updateSnapshot(
  { current: live, secrets }: Live,
  mode: SnapshotMode,
  taken?: string,
): Promise<string | undefined> {
  if (live.page.isClosed()) return mode === 'none' ? undefined : 'The page has been closed.';
  const shown = taken ?? (await within(answerMs, live.page.ariaSnapshot({ mode: 'ai', timeout: answerMs })));
  const snapshot = shown && secrets.redact(shown);
  if (mode === 'none') {
    // Locators may have been looked for since the last one, which leaves Playwright without references.
    if (snapshot !== undefined && live.view !== undefined) live.view = refreshRefs(live.view, snapshot);
    return undefined;
  }
  if (snapshot === undefined) return 'The page does not respond.';
  if (snapshot === '') return 'The page is empty.';
  const update =
    live.view === undefined || mode === 'full'
      ? showAll(snapshot, maxBytes)
      : showChanges(live.view, snapshot, maxBytes);
  live.view = update.view;
  for (const line of update.view) if (line.ref !== undefined) live.shown.set(line.ref, line.text);
  return update.text;
}

/** The snapshot of one element; the references of the whole page, which it would drop, are kept working. */
export async function elementSnapshot(live: LivePage, element: Locator): Promise<string> {
  const options = { mode: 'ai', timeout: answerMs } as const;
  const part = await element.ariaSnapshot(options);
  const whole = await live.page.ariaSnapshot(options);
  if (live.view !== undefined) live.view = refreshRefs(live.view, whole);
  return part;
}
