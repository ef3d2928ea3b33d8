import type { Frame, Page } from 'playwright';
import { z } from 'zod';
import { answerMs, responseWithin, within } from '../model/within.js';
import { answeringFrames, isSilentFrame } from './frames.js';
import { callIsolated, type InPage } from './isolated.js';
import { leftOut, withoutLongRuns } from './long-runs.js';
import { cutSnapshot, parseSnapshot, roleAndName } from './snapshot.js';
import { askChildFrames } from './settle.js';
import { watcherKey } from './watcher.js';

/** Time-out of a snapshot if a frame has not loaded or does not respond, for which Playwright would wait. */
const partialMs = 1000;
/** Time-out for finding the frame of an element, and the maximum number of frames. */
const lookMs = 500;
const maxFrames = 10;

/**
 * Playwright's snapshot of a page, cut, without waiting for frames that have not loaded or do not respond. `elements` is the size of the
 * settled document: in a large one, the middle of long runs of siblings is left out.
 */
export async function snapshotOf(page: Page, elements = 0): Promise<string> {
  return cutSnapshot(await withoutLongRuns(page, { elements }, () => wholeSnapshot(page)));
}

/** The complete snapshot of a page. */
export async function wholeSnapshot(page: Page): Promise<string> {
  // Playwright's own time-out is longer, so that ours comes first.
  const options = { mode: 'ai', timeout: 2 * answerMs } as const;
  const isPartial = (): boolean => answeringFrames(page).length < page.frames().length;
  const take = (): Promise<string> => responseWithin(answerMs, page.ariaSnapshot(options));
  const whole = isPartial() ? undefined : take();
  const soon = await within(partialMs, whole);
  if (whole !== undefined && soon === undefined) await askChildFrames(page);
  const partial = isPartial()
    ? await within(answerMs, page.ariaSnapshot({ ...options, timeout: partialMs }))
    : undefined;
  return soon ?? partial ?? whole ?? take();
}

/** Adds lines to a snapshot for what it does not show: closed shadow roots, unloaded frames, elements left out. */
export async function withHiddenParts(
  page: Page,
  snapshot: string,
  { hasClosedRoots }: { hasClosedRoots: boolean },
): Promise<string> {
  const hosts = hasClosedRoots ? await closedRoots(page) : [];
  const frames = page.frames().some(reasonOf) ? await emptyFrames(page, snapshot) : [];
  const skipped = leftOut(page).map(({ ref, count }) => ({
    ref,
    reason: `${count} elements are left out here. To reach one of them, use a locator as target.`,
  }));
  const reasons = new Map([...hosts, ...frames, ...skipped].map(({ ref, reason }) => [ref, reason]));
  if (reasons.size === 0) return snapshot;
  const lines = parseSnapshot(snapshot).map(({ raw, ref = '' }) => {
    const reason = reasons.get(ref);
    reasons.delete(ref);
    if (reason === undefined) return raw;
    return raw.endsWith(':')
      ? `${raw}\n${' '.repeat(raw.search(/\S/) + 2)}- text: ${reason}`
      : `${raw}: ${reason}`;
  });
  // Playwright omits elements without content.
  return [...lines, ...[...reasons].map(([ref, reason]) => `- generic [ref=${ref}]: ${reason}`)].join('\n');
}

/** Why a frame is empty. */
function reasonOf(frame: Frame): string | undefined {
  if (frame.url() === '') return 'This frame has not loaded.';
  if (frame.url().startsWith('chrome-error:')) return 'This frame could not be loaded.';
  return isSilentFrame(frame) ? 'This frame does not respond.' : undefined;
}

interface HiddenPart {
  ref: string;
  reason: string;
}

async function emptyFrames(page: Page, snapshot: string): Promise<HiddenPart[]> {
  const view = parseSnapshot(snapshot);
  const empty = view.filter(
    (line, index) => roleAndName(line).role === 'iframe' && (view[index + 1]?.depth ?? 0) <= line.depth,
  );
  const found = await Promise.all(
    empty.slice(0, maxFrames).map(async ({ ref = '' }) => {
      const element = await within(lookMs, page.getByRef(ref).elementHandle({ timeout: lookMs }));
      const frame = await within(lookMs, element?.contentFrame());
      void element?.dispose().catch(() => undefined);
      const reason = frame && reasonOf(frame);
      return reason == null ? [] : [{ ref, reason }];
    }),
  );
  return found.flat();
}

async function closedRoots(page: Page): Promise<HiddenPart[]> {
  const call = { arg: watcherKey, schema: z.array(z.tuple([z.string(), z.string()])), limitMs: lookMs };
  const hosts = await Promise.all(
    answeringFrames(page).map((frame) => within(lookMs, callIsolated(frame, findHosts, call))),
  );
  return hosts.flatMap((each = []) =>
    each.map(([tag, ref]) => ({ ref, reason: `<${tag}> has a closed shadow root, which can't be read.` })),
  );
}

/** Runs in the page. Returns the elements with a closed shadow root, on which the watcher dispatches events. */
function findHosts(_: InPage, key: string): [tag: string, ref: string][] {
  const hosts: Element[] = [];
  const onHost = (event: Event): void => {
    const [host] = event.composedPath();
    if (host instanceof Element) hosts.push(host);
  };
  document.addEventListener(`${key}-host`, onHost, true);
  document.dispatchEvent(new Event(`${key}-hosts`, { cancelable: true }));
  document.removeEventListener(`${key}-host`, onHost, true);
  return hosts.flatMap((host): [string, string][] => {
    const known: unknown = Reflect.get(host, '_ariaRef');
    const ref: unknown = typeof known === 'object' && known !== null ? Reflect.get(known, 'ref') : undefined;
    return typeof ref === 'string' ? [[host.localName.slice(0, 100), ref]] : [];
  });
}
