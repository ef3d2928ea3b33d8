import { stat } from 'node:fs/promises';
import type { Download } from 'playwright';
import { z } from 'zod';
import type { LiveLog } from './live-log.js';

/** Limits per session. */
const maxDownloads = 100;
const maxBytes = 100 * 1024 * 1024;
/** Milliseconds between checks of the sizes. */
const pollMs = 100;

const artifactSchema = z.object({ _initializer: z.object({ absolutePath: z.string() }) });

/** The downloads of a session. Cancels those beyond the limits, and keeps only the latest file. */
export class Downloads {
  latest: Download | undefined;
  #count = 0;
  readonly #running = new Set<Download>();
  readonly #log: LiveLog;

  constructor(log: LiveLog) {
    this.#log = log;
  }

  /** Returns false if it canceled the download because of the limit. */
  add(download: Download): boolean {
    if (++this.#count > maxDownloads) {
      this.#cancel([download], `${maxDownloads} downloads`);
      return false;
    }
    this.#delete(this.latest);
    this.latest = download;
    if (this.#running.size === 0) this.#watch();
    this.#running.add(download);
    void download
      .failure()
      .catch(() => undefined)
      .then(() => {
        this.#running.delete(download);
        if (download !== this.latest) this.#delete(download);
      });
    return true;
  }

  /** Deletes a download that has finished and is not the latest. */
  #delete(download: Download | undefined): void {
    if (download !== undefined && !this.#running.has(download)) download.delete().catch(() => undefined);
  }

  /** Checks the sizes while downloads run. */
  #watch(): void {
    const timer = setTimeout(() => {
      void this.#measure().then(() => {
        if (this.#running.size > 0) this.#watch();
      });
    }, pollMs);
    timer.unref();
  }

  async #measure(): Promise<void> {
    const sizes = await Promise.all([...this.#running].map(sizeOf));
    if (sizes.reduce((sum, size) => sum + size, 0) > maxBytes)
      this.#cancel(this.#running, `${maxBytes} bytes of downloads`);
  }

  #cancel(downloads: Iterable<Download>, limit: string): void {
    for (const download of downloads) download.cancel().catch(() => undefined);
    this.#log.addLimit(`A download was canceled: a session may have at most ${limit}.`);
  }
}

/** Bytes of a running download on disk; 0 if the file is on another machine. */
async function sizeOf(download: Download): Promise<number> {
  const artifact = artifactSchema.safeParse(Reflect.get(download, '_artifact'));
  if (!artifact.success) return 0;
  const file = artifact.data._initializer.absolutePath;
  const files = [file, `${file}.crdownload`, `${file}.part`];
  const sizes = await Promise.all(
    files.map((each) =>
      stat(each).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return Math.max(...sizes);
}
