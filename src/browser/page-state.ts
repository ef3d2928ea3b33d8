import type { Live, LiveEvent, LivePage } from './live.js';
import type { Locator } from 'playwright';
import { refreshRefs, showAll, showChanges } from './snapshot.js';

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

/** The state of the pages now, with what the agent has not seen yet of the current one. */
export async function pageState(live: Live, mode: SnapshotMode): Promise<PageState> {
  const { current } = live;
  const [snapshot, pages] = await Promise.all([
    mode === 'none' ? undefined : updateSnapshot(current, mode),
    Promise.all(
      live.pages.map(async ({ id, page }) => ({
        id,
        url: page.url(),
        title: await answer(page.title(), ''),
      })),
    ),
  ]);
  return {
    url: current.page.url(),
    pageTitle: pages.find(({ id }) => id === current.id)?.title ?? '',
    page: current.id,
    pages,
    ...(snapshot === undefined ? {} : { snapshot }),
    events: live.takeEvents(),
  };
}

async function updateSnapshot(live: LivePage, mode: 'diff' | 'full'): Promise<string> {
  if (live.page.isClosed()) return 'The page has been closed.';
  const snapshot = await answer(live.page.ariaSnapshot({ mode: 'ai', timeout: answerMs }), undefined);
  if (snapshot === undefined) return 'The page does not respond.';
  const update =
    live.view === undefined || mode === 'full' ? showAll(snapshot) : showChanges(live.view, snapshot);
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

async function answer<Value, Otherwise>(
  question: Promise<Value>,
  otherwise: Otherwise,
): Promise<Value | Otherwise> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Otherwise>((resolve) => {
    timer = setTimeout(() => {
      resolve(otherwise);
    }, answerMs);
  });
  try {
    return await Promise.race([question, late]);
  } catch {
    return otherwise;
  } finally {
    clearTimeout(timer);
  }
}
