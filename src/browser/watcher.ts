/** What the watcher in a frame answers to. */
export interface Watcher {
  /** From now on only what starts after this moment counts. */
  mark(): void;
  /** Resolves when nothing that started since the mark is under way, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void>;
  /** Whether the page has put something into the clipboard since this was asked last. */
  takeCopied(): boolean;
}

/**
 * Runs inside the page, in every frame, before the page's own scripts: counts what an action set going (requests,
 * short timers, animation frames, DOM changes), so that waiting ends when that has ended.
 * What repeats by itself (clocks, polling, endless animations) is recognized and does not count.
 */
export function installWatcher(key: string): void {
  interface Work {
    signature: string;
  }
  interface Rhythm {
    epoch: number;
    /** Beats in that epoch. */
    count: number;
    habitUntil: number;
  }
  /** Timers beyond this many milliseconds are schedules, not the tail of an action. */
  const longestTimer = 500;
  /** A change is followed by its consequences within this many milliseconds. */
  const quietTime = 20;
  /** What happens so often between two marks happens by itself, not because of an action. */
  const habit = 5;
  /** Milliseconds after which a habit that has stopped is forgotten. */
  const memory = 5000;

  if (Object.hasOwn(window, key)) return;
  const later = setTimeout.bind(window);
  const now = performance.now.bind(performance);
  const channel = new MessageChannel();

  let epoch = 0;
  let running: number | undefined;
  let lastActivity = -Infinity;
  let activeSinceMark = false;
  const pending = new Map<Work, number>();
  const rhythms = new Map<string, Rhythm>();
  const nodeRhythms = new WeakMap<Node, Rhythm>();

  const isHabit = (rhythm: Rhythm | undefined): boolean => rhythm !== undefined && rhythm.habitUntil > now();

  /** The rhythm after one more beat. */
  function beat(rhythm: Rhythm = { epoch, count: 0, habitUntil: 0 }): Rhythm {
    const count = rhythm.epoch === epoch ? rhythm.count + 1 : 1;
    const habitual = count >= habit || isHabit(rhythm);
    return { epoch, count, habitUntil: habitual ? now() + memory : 0 };
  }

  function active(): void {
    lastActivity = now();
    activeSinceMark = true;
  }

  /** Work begins: it belongs to the epoch of the work that began it. */
  function begin(signature: string): Work {
    const work = { signature };
    if (!isHabit(rhythms.get(signature))) pending.set(work, running ?? epoch);
    return work;
  }

  function end(work: Work): void {
    const born = pending.get(work);
    pending.delete(work);
    if (born === epoch) active();
    if (rhythms.size > 500) rhythms.clear();
    rhythms.set(work.signature, beat(rhythms.get(work.signature)));
  }

  /** Runs a callback of `work`, whose own changes and follow-ups count as the work does. */
  function within<Result>(work: Work, callback: () => Result): Result {
    const born = pending.get(work) ?? -1;
    collect(observer.takeRecords());
    const outer = running;
    running = born;
    try {
      return callback();
    } finally {
      collect(observer.takeRecords());
      running = outer;
      end(work);
    }
  }

  function collect(records: MutationRecord[]): void {
    if (records.length === 0) return;
    const nodes = new Set(records.map((record) => record.target));
    let fresh = false;
    for (const node of nodes) {
      const rhythm = nodeRhythms.get(node);
      if (!isHabit(rhythm) && (running ?? epoch) === epoch) fresh = true;
      nodeRhythms.set(node, beat(rhythm));
    }
    if (fresh) active();
  }

  const observer = new MutationObserver(collect);
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });

  /** Puts `around` in the place of a function of the page's platform; `call` is the original. */
  function intercept(
    owner: object,
    name: string,
    around: (args: unknown[], call: (args: unknown[]) => unknown, self: unknown) => unknown,
  ): void {
    const original: unknown = Reflect.get(owner, name);
    if (typeof original !== 'function') return;
    const apply = (target: typeof original, self: unknown, args: unknown[]): unknown =>
      around(args, (changed) => Reflect.apply(target, self, changed), self);
    Reflect.set(owner, name, new Proxy(original, { apply }));
  }

  const scheduled = new Map<unknown, Work>();
  const sourceOf = (callback: unknown): string => String(callback).slice(0, 200);

  /** Wraps a scheduler so that its callback runs as the work that it is. */
  function watchScheduler(name: string, cancel: string, counts: (args: unknown[]) => boolean): void {
    intercept(window, name, (args, call) => {
      const [callback, ...rest] = args;
      if (typeof callback !== 'function' || !counts(rest)) return call(args);
      const work = begin(`${name} ${String(rest[0])} ${sourceOf(callback)}`);
      const run = (...values: unknown[]): void => {
        scheduled.delete(id);
        within(work, () => {
          Reflect.apply(callback, window, values);
        });
      };
      const id = call([run, ...rest]);
      scheduled.set(id, work);
      return id;
    });
    intercept(window, cancel, (args, call) => {
      const work = scheduled.get(args[0]);
      if (work !== undefined) pending.delete(work);
      scheduled.delete(args[0]);
      return call(args);
    });
  }
  watchScheduler('setTimeout', 'clearTimeout', ([delay]) => !(Number(delay) > longestTimer));
  watchScheduler('requestAnimationFrame', 'cancelAnimationFrame', () => true);

  const pathOf = (url: unknown): string => String(url).replace(/[?#].*/s, '');
  intercept(window, 'fetch', async (args, call) => {
    const [input] = args;
    const work = begin(`request ${pathOf(input instanceof Request ? input.url : input)}`);
    try {
      return await call(args);
    } finally {
      end(work);
    }
  });
  const addresses = new WeakMap<object, string>();
  intercept(XMLHttpRequest.prototype, 'open', (args, call, self) => {
    if (self instanceof XMLHttpRequest) addresses.set(self, pathOf(args[1]));
    return call(args);
  });
  intercept(XMLHttpRequest.prototype, 'send', (args, call, self) => {
    if (!(self instanceof XMLHttpRequest)) return call(args);
    const work = begin(`request ${addresses.get(self) ?? ''}`);
    self.addEventListener('loadend', () => {
      end(work);
    });
    return call(args);
  });

  let copied = false;
  if ('Clipboard' in window)
    for (const name of ['write', 'writeText'])
      intercept(Clipboard.prototype, name, (args, call) => {
        copied = true;
        return call(args);
      });

  function busy(): boolean {
    collect(observer.takeRecords());
    for (const born of pending.values()) if (born === epoch) return true;
    return activeSinceMark && now() - lastActivity < quietTime;
  }

  /** Two turns of the event loop, in which scheduled renderings (message channels, promises) have run. */
  function turns(): Promise<void> {
    return new Promise((resolve) => {
      let left = 2;
      channel.port1.onmessage = () => {
        if (--left > 0) channel.port2.postMessage(0);
        else resolve();
      };
      channel.port2.postMessage(0);
    });
  }

  const watcher: Watcher = {
    mark() {
      collect(observer.takeRecords());
      epoch++;
      activeSinceMark = false;
    },
    async settled(timeoutMs) {
      const deadline = now() + timeoutMs;
      await turns();
      while (busy() && now() < deadline) {
        await new Promise((resolve) => later(resolve, 4));
        await turns();
      }
    },
    takeCopied() {
      const taken = copied;
      copied = false;
      return taken;
    },
  };
  Object.defineProperty(window, key, { value: watcher });
}
