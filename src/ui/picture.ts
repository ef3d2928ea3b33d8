import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright';
import { z } from 'zod';
import { hidesNothing, takeScreenshot } from '../browser/screenshot.js';
import { within } from '../model/within.js';
import type { Sessions } from '../session/sessions.js';
import type { Frames } from './follow.js';
import type { LivePicture } from './shapes.js';

/** Milliseconds between pictures, at least. */
const pauseMs = 80;
/** Milliseconds between pictures of browsers without a screencast. */
const pollMs = 500;
/** Milliseconds for a browser to answer. */
const answerMs = 3000;
/** Largest width and height of a picture, and of a thumbnail. */
const maxSide = 1280;
const thumbnailSide = 400;
/** Quality of a thumbnail that is a screenshot, and so as large as the page. */
const thumbnailQuality = 30;

/** The live pictures of sessions, made while somebody watches, once for all viewers of a session. */
export class Pictures {
  private readonly cameras = new Map<string, Camera>();

  constructor(private readonly sessions: Sessions) {}

  watch(id: string): Frames {
    const camera = this.cameras.get(id) ?? new Camera(() => this.sessions.openOf(id)?.live.current.page);
    this.cameras.set(id, camera);
    const viewer = new Viewer(() => {
      camera.viewers.delete(viewer);
      if (camera.viewers.size === 0) this.cameras.delete(id);
    });
    camera.add(viewer);
    return viewer;
  }
}

/** The latest of some values, for a reader that may be slow. */
class Latest<Value> {
  private value: Value | undefined;
  private wake: () => void = () => undefined;

  show(value: Value): void {
    this.value = value;
    this.wake();
  }

  take(): Value | undefined {
    const { value } = this;
    this.value = undefined;
    return value;
  }

  next(): Promise<void> {
    if (this.value !== undefined) return Promise.resolve();
    return new Promise((resolve) => (this.wake = resolve));
  }
}

class Viewer extends Latest<LivePicture> implements Frames {
  constructor(readonly close: () => void) {
    super();
  }
}

/** Films the current page of a session for as long as it has viewers. */
class Camera {
  readonly viewers = new Set<Viewer>();
  private latest: LivePicture | undefined;
  private isRunning = false;

  constructor(private readonly pageOf: () => Page | undefined) {}

  add(viewer: Viewer): void {
    this.viewers.add(viewer);
    if (this.latest !== undefined) viewer.show(this.latest);
    if (!this.isRunning) void this.run();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.viewers.size > 0) {
      const page = this.pageOf();
      if (page === undefined || page.isClosed()) await sleep(pollMs);
      else await this.film(page).catch(() => sleep(pollMs));
    }
    this.isRunning = false;
  }

  /** Films a page until it is no longer the current one, or nobody watches. */
  private async film(page: Page): Promise<void> {
    const screencast = await Screencast.start(page);
    let shown = '';
    try {
      while (this.viewers.size > 0 && this.pageOf() === page && !page.isClosed()) {
        const frame = await screencast?.next();
        const picture =
          screencast !== undefined && frame === undefined ? undefined : await pictureOf(page, frame);
        if (picture !== undefined && picture.data !== shown) {
          shown = picture.data;
          this.latest = picture;
          for (const viewer of this.viewers) viewer.show(picture);
        }
        await sleep(screencast === undefined ? pollMs : pauseMs);
      }
    } finally {
      await screencast?.stop();
    }
  }
}

/** A small picture of a page, as base64 of a JPEG. */
export async function thumbnailOf(page: Page): Promise<string> {
  const screencast = await Screencast.start(page, thumbnailSide);
  try {
    return (await pictureOf(page, await screencast?.next(), thumbnailQuality)).data;
  } finally {
    await screencast?.stop();
  }
}

/** The frame or, if the page has something to hide, a screenshot in which that is masked. */
async function pictureOf(page: Page, frame: Frame | undefined, quality = 60): Promise<LivePicture> {
  const { deviceWidth: width = maxSide, deviceHeight: height = maxSide } = frame?.metadata ?? {};
  const size = page.viewportSize() ?? { width, height };
  if (frame !== undefined && (await hidesNothing(page)))
    return { data: frame.data, type: 'image/jpeg', ...size };
  const data = await takeScreenshot(page, undefined, { type: 'jpeg', fullPage: false, quality });
  return { data: data.toString('base64'), type: 'image/jpeg', ...size };
}

const frameSchema = z.looseObject({
  data: z.string(),
  sessionId: z.number(),
  metadata: z.looseObject({ deviceWidth: z.number().optional(), deviceHeight: z.number().optional() }),
});

type Frame = z.infer<typeof frameSchema>;

/** Frames that Chromium sends when a page has changed. */
class Screencast {
  private readonly frames = new Latest<Frame>();

  private constructor(private readonly devTools: CDPSession) {
    devTools.on('Page.screencastFrame', (event) => {
      this.frames.show(frameSchema.parse(event));
    });
  }

  /** Undefined for other browsers. */
  static async start(page: Page, side = maxSide): Promise<Screencast | undefined> {
    if (page.context().browser()?.browserType().name() !== 'chromium') return undefined;
    const devTools = await within(answerMs, page.context().newCDPSession(page));
    if (devTools === undefined) return undefined;
    const screencast = new Screencast(devTools);
    const format = { format: 'jpeg', quality: 60, maxWidth: side, maxHeight: side } as const;
    await within(answerMs, devTools.send('Page.startScreencast', format));
    return screencast;
  }

  /** The latest frame, if there is a new one in time. The browser makes the next one only then, so animations cost little. */
  async next(): Promise<Frame | undefined> {
    await within(pollMs, this.frames.next());
    const frame = this.frames.take();
    if (frame !== undefined)
      await within(answerMs, this.devTools.send('Page.screencastFrameAck', { sessionId: frame.sessionId }));
    return frame;
  }

  async stop(): Promise<void> {
    await within(answerMs, this.devTools.detach());
  }
}
