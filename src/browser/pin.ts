import type { Frame, Locator } from 'playwright';
import { responseWithin } from '../model/within.js';
import { newId, operation } from './isolated.js';

/** Milliseconds for a page to answer. */
const answerMs = 5000;

/** A hold on one element, whatever becomes of its name, its place, or Playwright's references. */
export interface Pin {
  id: string;
  /** Matches the element while it is in its document. */
  locator: Locator;
  frame: Frame;
}

/** Pins the element that a locator matches now; undefined if it matches none. */
export async function pinNow(locator: Locator): Promise<Pin | undefined> {
  const id = newId();
  const found = locator.locator(operation('pin', id));
  return (await responseWithin(answerMs, found.count())) === 1 ? pinned(found, id) : undefined;
}

/** Pins the one element that a locator comes to match within the time. Throws as Playwright does if it matches none or many. */
export async function pinSoon(locator: Locator, timeoutMs: number): Promise<Pin> {
  const id = newId();
  const found = locator.locator(operation('pin', id));
  await responseWithin(timeoutMs + answerMs, found.waitFor({ state: 'attached', timeout: timeoutMs }));
  return pinned(found, id);
}

async function pinned(found: Locator, id: string): Promise<Pin> {
  const inFrame = (frame: Frame): Pin => ({ id, frame, locator: frame.locator(operation('pinned', id)) });
  const page = found.page();
  if (page.frames().length === 1) return inFrame(page.mainFrame());
  return inFrame((await frameOf(found)) ?? page.mainFrame());
}

/** The frame of the element that a locator matches now. */
export async function frameOf(locator: Locator): Promise<Frame | null> {
  const handle = await responseWithin(answerMs, locator.elementHandle({ timeout: answerMs }));
  try {
    return await responseWithin(answerMs, handle.ownerFrame());
  } finally {
    void handle.dispose().catch(() => undefined);
  }
}
