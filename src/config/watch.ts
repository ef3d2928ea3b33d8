import { watch, type FSWatcher } from 'node:fs';
import path from 'node:path';

/** Milliseconds that a change gets to be complete: editors write in several steps. */
const settleMs = 50;

/**
 * Calls `changed` after something happened in the directories of the files, as they are at that time. Where the system
 * can't watch, nothing is called. Returns what ends it.
 */
export function watchFiles(files: () => string[], changed: () => Promise<void>): () => void {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;

  function adjust(): void {
    const directories = new Set(files().map((file) => path.dirname(file)));
    for (const [directory, watcher] of watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      watchers.delete(directory);
    }
    for (const directory of directories) if (!watchers.has(directory)) follow(directory);
  }

  function follow(directory: string): void {
    const lose = (): void => {
      watchers.get(directory)?.close();
      watchers.delete(directory);
    };
    try {
      const watcher = watch(directory, { persistent: false }, () => {
        clearTimeout(timer);
        timer = setTimeout(() => void changed().then(adjust), settleMs);
        timer.unref();
      });
      watcher.on('error', lose);
      watchers.set(directory, watcher);
    } catch {
      lose();
    }
  }

  adjust();
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}
