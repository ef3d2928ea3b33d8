import { randomUUID } from 'node:crypto';
import { trackActivity } from './watcher-activity.js';
import { watchMessages } from './watcher-messages.js';
import { watchAnimations, watchTimers } from './watcher-timers.js';

/** Prefix of the events that query the watcher, which no page can guess. */
export const watcherKey = randomUUID();

/** The questions to the watcher; it answers yes by canceling the event. */
export type WatcherQuestion = 'mark' | 'busy' | 'unsure' | 'copied' | 'hosts' | LateQuestion;

/** Whether work that started since the mark still changed the page so many seconds after the action's input. */
export const lateQuestions = ['late3', 'late6', 'late12', 'late24'] as const;
type LateQuestion = (typeof lateQuestions)[number];

/**
 * The script that watches a page, in every frame, before the page's own scripts: it counts what an action starts
 * (requests, messages, short timers, animation frames, DOM changes), so that waiting ends when that has ended. It recognizes and
 * ignores what repeats (clocks, polling, endless animations).
 *
 * It replaces functions of the page, so it runs in the page's world. It only uses copies of globals made before the page
 * could replace them, and answers events whose names the page can't guess.
 */
export function watcherScript(key: string): string {
  const parts = [
    keepGlobals,
    createRhythms,
    trackActivity,
    trackWork,
    watchDocument,
    watchMessages,
    watchTimers,
    watchAnimations,
    watchInput,
    watchRequests,
    watchClipboard,
    watchShadowRoots,
    limitConsole,
    answerQuestions,
  ];
  return `(() => {
${[...parts, install].map(String).join('\n')}
install(${JSON.stringify(key)});
})();`;
}

export type Globals = ReturnType<typeof keepGlobals>;
export type WorkTracker = ReturnType<typeof trackWork>;

interface Work {
  signature: string;
}

interface Rhythm {
  epoch: number;
  /** Beats in that epoch. */
  count: number;
  habitUntil: number;
}

function install(key: string): void {
  const globals = keepGlobals();
  const tracker = trackWork(globals);
  watchMessages(globals, tracker);
  watchTimers(globals, tracker);
  const endAnimations = watchAnimations(globals, tracker);
  watchRequests(globals, tracker);
  const takeCopied = watchClipboard(globals);
  limitConsole(globals);
  watchInput(globals, tracker);
  const hosts = watchShadowRoots(key, globals);
  const { mark, isUnsure, isLate } = tracker;
  const isBusy = (): boolean => {
    endAnimations();
    return tracker.isBusy();
  };
  answerQuestions(key, globals, {
    ...{ mark, busy: isBusy, unsure: isUnsure, copied: takeCopied, hosts },
    ...{ late3: () => isLate(3), late6: () => isLate(6), late12: () => isLate(12), late24: () => isLate(24) },
  });
}

/** Copies of globals that the page may replace later. */
function keepGlobals() {
  const { String, Number, Proxy } = window;
  const get = Reflect.get.bind(Reflect);
  const set = Reflect.set.bind(Reflect);
  const apply = Reflect.apply.bind(Reflect);
  const methodOf = (owner: object, name: string) => {
    const method: unknown = get(owner, name);
    return typeof method === 'function' ? method : () => undefined;
  };

  /** A class whose instances keep the original methods, even if the page changes the prototype. */
  function keepMethods(own: object, original: object): void {
    for (const name of Reflect.ownKeys(original)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(original, name);
      if (descriptor !== undefined && !Object.hasOwn(own, name)) Object.defineProperty(own, name, descriptor);
    }
    Object.setPrototypeOf(own, null);
  }
  class SafeMap<Key, Value> extends Map<Key, Value> {}
  keepMethods(SafeMap.prototype, Map.prototype);
  class SafeWeakMap<Key extends WeakKey, Value> extends WeakMap<Key, Value> {}
  keepMethods(SafeWeakMap.prototype, WeakMap.prototype);

  /** Replaces a platform function by `around`; `call` is the original. */
  function intercept(
    owner: object,
    name: string,
    around: (args: unknown[], call: (args: unknown[]) => unknown, self: unknown) => unknown,
  ): void {
    const original: unknown = get(owner, name);
    if (typeof original !== 'function') return;
    const onCall = (target: typeof original, self: unknown, args: unknown[]): unknown =>
      around(args, (changed): unknown => apply(target, self, changed), self);
    set(owner, name, new Proxy(original, { apply: onCall }));
  }

  const replace = methodOf(String.prototype, 'replace');
  const slice = methodOf(String.prototype, 'slice');
  return {
    ...{ String, Number, SafeMap, SafeWeakMap, apply, methodOf, intercept },
    now: performance.now.bind(performance),
    addEventListener: methodOf(EventTarget.prototype, 'addEventListener'),
    beginningOf: (value: unknown): string => String(apply(slice, String(value), [0, 200])),
    pathOf: (url: unknown): string => String(apply(replace, String(url), [/[?#].*/s, ''])),
  };
}

/** Distinguishes effects of an action from periodic work. */
function createRhythms(now: () => number) {
  /** Work that runs this often between two marks is periodic. */
  const habit = 5;
  /** Milliseconds after which periodic work that has stopped is forgotten. */
  const memory = 5000;
  const isHabit = (rhythm: Rhythm | undefined): boolean => rhythm !== undefined && rhythm.habitUntil > now();
  return {
    isHabit,
    /** The rhythm after one more beat. */
    beat: (epoch: number, rhythm: Rhythm = { epoch, count: 0, habitUntil: 0 }): Rhythm => {
      const count = rhythm.epoch === epoch ? rhythm.count + 1 : 1;
      const habitual = count >= habit || isHabit(rhythm);
      return { epoch, count, habitUntil: habitual ? now() + memory : 0 };
    },
  };
}

/** Tracks the work of the page, and the changes of its document. */
function trackWork(globals: Globals) {
  const { SafeMap, SafeWeakMap, now } = globals;
  const { isHabit, beat } = createRhythms(now);
  const activity = trackActivity(globals);
  let epoch = 0;
  let running: number | undefined;
  const pending = new SafeMap<Work, number>();
  const rhythms = new SafeMap<string, Rhythm>();
  const nodeRhythms = new SafeWeakMap<Node, Rhythm>();

  /** Starts work, in the epoch of the work that started it. */
  function begin(signature: string): Work {
    const work = { signature };
    if (!isHabit(rhythms.get(signature))) pending.set(work, running ?? epoch);
    return work;
  }

  function end(work: Work): void {
    const born = pending.get(work);
    pending.delete(work);
    if (born === epoch) activity.note();
    if (rhythms.size > 500) rhythms.clear();
    rhythms.set(work.signature, beat(epoch, rhythms.get(work.signature)));
  }

  /** Runs a callback of `work`; its changes and follow-up work count in the epoch of `work`. */
  function within<Result>(work: Work, callback: () => Result): Result {
    const born = pending.get(work) ?? -1;
    collectNow();
    const outer = running;
    running = born;
    try {
      return callback();
    } finally {
      collectNow();
      running = outer;
      end(work);
    }
  }

  const collectNow = watchDocument(globals, (nodes) => {
    let fresh = 0;
    nodes.forEach((_, node) => {
      const rhythm = nodeRhythms.get(node);
      if (!isHabit(rhythm) && (running ?? epoch) === epoch) fresh++;
      nodeRhythms.set(node, beat(epoch, rhythm));
    });
    if (fresh > 0) activity.note();
  });

  return {
    begin,
    end,
    within,
    cancel: (work: Work): boolean => pending.delete(work),
    /** Only what starts after this moment counts. */
    mark: (): boolean => {
      collectNow();
      epoch++;
      activity.reset();
      return true;
    },
    input: activity.input,
    isLate: activity.isLate,
    /** Whether work that started since the mark is in progress. */
    isBusy: (): boolean => {
      collectNow();
      let left = 0;
      pending.forEach((born) => {
        if (born === epoch) left++;
      });
      return left > 0 || activity.isRecent();
    },
    isUnsure: activity.isUnsure,
  };
}

/** Reports changed nodes. Returns a function that reports pending changes immediately. */
function watchDocument(
  { SafeMap, apply, methodOf }: Globals,
  onChange: (nodes: Map<Node, true>) => void,
): () => void {
  const { Node } = window;
  const targetOf = methodOf(Object.getOwnPropertyDescriptor(MutationRecord.prototype, 'target') ?? {}, 'get');

  function collect(records: MutationRecord[]): void {
    const nodes = new SafeMap<Node, true>();
    for (let index = 0; index < records.length; index++) {
      const record = records[index];
      const target: unknown = record === undefined ? undefined : apply(targetOf, record, []);
      if (target instanceof Node) nodes.set(target, true);
    }
    onChange(nodes);
  }

  const observer = new MutationObserver(collect);
  const takeRecords = observer.takeRecords.bind(observer);
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  return () => {
    collect(takeRecords());
  };
}

/** Input events of an action may queue tasks. */
function watchInput({ apply, addEventListener }: Globals, { input }: WorkTracker): void {
  const onEvent = ({ isTrusted }: Event): void => {
    if (isTrusted) input();
  };
  const types = ['pointermove', 'pointerdown', 'pointerup', 'click', 'keydown', 'keyup', 'input'];
  for (let index = 0; index < types.length; index++)
    apply(addEventListener, window, [types[index], onEvent, { capture: true, passive: true }]);
}

function watchRequests(globals: Globals, { begin, end }: WorkTracker): void {
  const { SafeWeakMap, apply, intercept, addEventListener, pathOf } = globals;
  const { Request, XMLHttpRequest } = window;
  intercept(window, 'fetch', async (args, call) => {
    const input = args[0];
    const work = begin(`request ${pathOf(input instanceof Request ? input.url : input)}`);
    try {
      return await call(args);
    } finally {
      end(work);
    }
  });
  const addresses = new SafeWeakMap<object, string>();
  intercept(XMLHttpRequest.prototype, 'open', (args, call, self) => {
    if (self instanceof XMLHttpRequest) addresses.set(self, pathOf(args[1]));
    return call(args);
  });
  intercept(XMLHttpRequest.prototype, 'send', (args, call, self) => {
    if (!(self instanceof XMLHttpRequest)) return call(args);
    const work = begin(`request ${addresses.get(self) ?? ''}`);
    const onEnd = (): void => {
      end(work);
    };
    apply(addEventListener, self, ['loadend', onEnd]);
    return call(args);
  });
}

/** Returns a function that reports whether the page has written to the clipboard since its last call. */
function watchClipboard({ intercept }: Globals): () => boolean {
  let copied = false;
  if ('Clipboard' in window)
    for (const name of ['write', 'writeText'])
      intercept(Clipboard.prototype, name, (args, call) => {
        copied = true;
        return call(args);
      });
  return () => {
    const taken = copied;
    copied = false;
    return taken;
  };
}

/** Returns a function that dispatches an event on each element with a closed shadow root, and returns whether there are any. */
function watchShadowRoots(key: string, { SafeMap, apply, methodOf, intercept }: Globals): () => boolean {
  const maxHosts = 100;
  const { Event, Element } = window;
  const modeOf = methodOf(Object.getOwnPropertyDescriptor(ShadowRoot.prototype, 'mode') ?? {}, 'get');
  const dispatch = methodOf(EventTarget.prototype, 'dispatchEvent');
  const hosts = new SafeMap<Element, true>();
  intercept(Element.prototype, 'attachShadow', (args, call, self) => {
    const root = call(args);
    if (self instanceof Element && hosts.size < maxHosts && apply(modeOf, root, []) === 'closed')
      hosts.set(self, true);
    return root;
  });
  return () => {
    hosts.forEach((_, host) => {
      apply(dispatch, host, [new Event(`${key}-host`, { composed: true })]);
    });
    return hosts.size > 0;
  };
}

/** Drops excess console entries and cuts long ones, which the server would otherwise have to read first. */
function limitConsole({ apply, methodOf, intercept, now }: Globals): void {
  const maxPerSecond = 100;
  const maxLength = 50_000;
  const slice = methodOf(String.prototype, 'slice');
  let since = -Infinity;
  let count = 0;
  for (const name of Object.keys(console))
    intercept(console, name, (args, call) => {
      if (now() - since > 1000) {
        since = now();
        count = 0;
      }
      if (++count > maxPerSecond) return undefined;
      for (let index = 0; index < args.length; index++) {
        const text = args[index];
        if (typeof text === 'string' && text.length > maxLength)
          args[index] = apply(slice, text, [0, maxLength]);
      }
      return call(args);
    });
}

function answerQuestions(
  key: string,
  { apply, methodOf, addEventListener, intercept }: Globals,
  questions: Record<WatcherQuestion, () => boolean>,
): void {
  const preventDefault = methodOf(Event.prototype, 'preventDefault');
  const answers: [string, (event: Event) => void][] = [];
  for (const [name, answer] of Object.entries(questions))
    answers.push([
      `${key}-${name}`,
      (event) => {
        if (answer()) apply(preventDefault, event, []);
      },
    ]);
  const listen = (): void => {
    for (let index = 0; index < answers.length; index++)
      apply(addEventListener, document, answers[index] ?? []);
  };
  listen();
  // `document.open()` removes listeners.
  for (const name of ['open', 'write', 'writeln'])
    intercept(Document.prototype, name, (args, call) => {
      const result = call(args);
      listen();
      return result;
    });
}
