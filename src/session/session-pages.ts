import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionFiles, SessionPages } from '../actions/action.js';
import { contextOptions } from '../browser/context-options.js';
import type { Live } from '../browser/live.js';
import { firstPage, type LivePage } from '../browser/live-page.js';
import { CodegenError } from '../model/errors.js';
import type { Signal, Step } from '../model/step.js';
import { parseFields } from '../model/template.js';
import { useSchema, type Use } from '../model/use.js';
import { hasDownload } from './edit.js';
import { within } from '../model/within.js';

/** Time-out for bringing a page to the front. */
const frontMs = 1000;
const closingMs = 5000;
/** Milliseconds between checks for what is expected. */
const signalPollMs = 20;

export async function bringToFront(live: Live, entry: LivePage): Promise<void> {
  if (live.front === entry || entry.page.isClosed()) return;
  await within(frontMs, entry.page.bringToFront());
  live.front = entry;
}

export async function closePages(entries: readonly LivePage[]): Promise<void> {
  await within(closingMs, Promise.all(entries.map(({ page }) => page.close())));
}

export function setStepPage(step: Step, { id }: LivePage): void {
  if (id === firstPage) delete step.page;
  else step.page = id;
}

export function pagesOf(live: Live, use: Use, files: SessionFiles): SessionPages {
  return {
    open: async () => (await live.open()).page,
    async openContext({ storageState, ...own }) {
      const inherited = useSchema.parse(
        live.secrets.reveal(parseFields({ ...use, storageState: undefined })),
      );
      const login = storageState == null ? undefined : await files.login(storageState);
      await live.openContext({
        ...(await contextOptions({ ...inherited, ...own })),
        ...(login && { storageState: login }),
      });
    },
    async switchTo(id) {
      const entry = live.pages.find((page) => page.id === id);
      if (entry === undefined)
        throw new CodegenError('INVALID_INPUT', `There is no page ${JSON.stringify(id)}.`, {
          hint: `Pages: ${live.pages.map((page) => page.id).join(', ') || 'none; open one with newPage'}.`,
        });
      await within(frontMs, entry.page.bringToFront());
      live.current = live.front = entry;
    },
    async close() {
      const closing = live.current;
      await closePages([closing]);
      const next = live.pages.find((page) => page === closing.opener) ?? live.pages.at(-1);
      if (next !== undefined) live.current = next;
    },
  };
}

/** Resolves when the page of a step, and those that the step opened, have settled. */
export async function settled(live: Live, acted: LivePage, step: Step): Promise<void> {
  const { signals = [] } = step;
  await acted.settling.settle();
  if (acted.settling.takeCopied()) step.copies = true;
  const opened = new Set(signals.map((signal) => ('page' in signal ? signal.page : undefined)));
  const others = live.pages.filter(
    (page) => page !== acted && (page === live.current || opened.has(page.id)),
  );
  await Promise.all(others.map((page) => page.settling.settle()));
}

/** Waits for the download that a recorded step started, if it has not begun yet. */
export async function downloadBegun(steps: readonly Step[], limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!hasDownload(steps, steps.length) && performance.now() < deadline) await sleep(signalPollMs);
}

/** Waits for what a saved step caused when it was recorded, and gives its pages their earlier ids. */
export async function matchSignals(
  live: Live,
  step: Step,
  expected: readonly Signal[],
  limitMs: number,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while ((step.signals ?? []).length < expected.length && performance.now() < deadline)
    await sleep(signalPollMs);
  const { signals = [] } = step;
  for (const [index, wanted] of expected.entries()) {
    const signal = signals[index];
    if (signal?.type !== wanted.type)
      throw new CodegenError('ACTION_FAILED', `No ${wanted.type} followed in this replay.`, {
        hint: 'The snapshot shows what happened instead.',
      });
    if (!('page' in signal && 'page' in wanted)) continue;
    const entry = live.pages.find(({ id }) => id === signal.page);
    if (entry !== undefined) live.rename(entry, wanted.page);
    signal.page = wanted.page;
  }
}
