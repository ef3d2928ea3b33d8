import type { Frame, Page } from 'playwright';

/** Frames that did not answer when they were asked last. */
const silent = new WeakSet<Frame>();

/** The main frame, and other frames that have loaded; the rest don't answer. */
export function loadedFrames(page: Page): Frame[] {
  return page.frames().filter((frame) => frame.url() !== '' || frame.parentFrame() === null);
}

/** Whether a child frame did not answer when it was asked last, such as one with an endless script. */
export function isSilentFrame(frame: Frame): boolean {
  return silent.has(frame);
}

/** The frames that are worth a question. */
export function answeringFrames(page: Page): Frame[] {
  return loadedFrames(page).filter((frame) => !silent.has(frame));
}

export function noteAnswer(frame: Frame, hasAnswered: boolean): void {
  if (hasAnswered || frame.parentFrame() === null) silent.delete(frame);
  else silent.add(frame);
}
