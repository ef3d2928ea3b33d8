import type { Globals, WorkTracker } from './watcher.js';

/** Runs in the page. Wraps timers and animation frames, so that their callbacks count as work. */
export function watchTimers(globals: Globals, { begin, within, cancel }: WorkTracker): void {
  const { String, Number, SafeMap, apply, intercept, beginningOf } = globals;
  /** Longer timers are schedules, not effects of an action. */
  const longestTimer = 500;
  const scheduled = new SafeMap<unknown, ReturnType<typeof begin>>();

  function watch(name: string, canceler: string, counts: (delay: unknown) => boolean): void {
    intercept(window, name, (args, call) => {
      const callback = args[0];
      if (typeof callback !== 'function' || !counts(args[1])) return call(args);
      const work = begin(`${name} ${String(args[1])} ${beginningOf(callback)}`);
      args[0] = (...values: unknown[]): void => {
        scheduled.delete(id);
        within(work, () => {
          apply(callback, window, values);
        });
      };
      const id = call(args);
      scheduled.set(id, work);
      return id;
    });
    intercept(window, canceler, (args, call) => {
      const work = scheduled.get(args[0]);
      if (work !== undefined) cancel(work);
      scheduled.delete(args[0]);
      return call(args);
    });
  }
  watch('setTimeout', 'clearTimeout', (delay) => !(Number(delay) > longestTimer));
  watch('requestAnimationFrame', 'cancelAnimationFrame', () => true);
}

/**
 * Runs in the page. Counts transitions and animations whose end the page waits for, such as a dialog that fades in;
 * decorative ones do not count. Returns a function that ends the work of finished ones.
 */
export function watchAnimations(globals: Globals, { begin, end }: WorkTracker): () => void {
  const { SafeMap, String, Number, apply, methodOf, intercept } = globals;
  /** Longer animations don't count, as for timers. */
  const longestAnimation = 500;
  const maxElements = 100;
  const { Element, KeyframeEffect } = window;
  const { isArray } = Array;
  const getter = (owner: object, name: string) =>
    methodOf(Object.getOwnPropertyDescriptor(owner, name) ?? {}, 'get');
  const nameOf = getter(Node.prototype, 'nodeName');
  const animationsOf = methodOf(Element.prototype, 'getAnimations');
  const stateOf = getter(Animation.prototype, 'playState');
  const effectOf = getter(Animation.prototype, 'effect');
  const targetOf = getter(KeyframeEffect.prototype, 'target');
  const timingOf = methodOf(AnimationEffect.prototype, 'getComputedTiming');
  const awaited = new SafeMap<Element, ReturnType<typeof begin>>();

  const isShort = (animation: unknown): boolean => {
    const timing: unknown = apply(timingOf, apply(effectOf, animation, []), []);
    const endTime = typeof timing === 'object' && timing !== null && 'endTime' in timing && timing.endTime;
    return apply(stateOf, animation, []) === 'running' && !(Number(endTime) > longestAnimation);
  };

  const isAnimated = (element: Element): boolean => {
    const animations: unknown = apply(animationsOf, element, [{ subtree: true }]);
    if (!isArray(animations)) return false;
    for (let index = 0; index < animations.length; index++) if (isShort(animations[index])) return true;
    return false;
  };

  const awaitEnd = (element: unknown): void => {
    if (!(element instanceof Element) || awaited.has(element) || awaited.size >= maxElements) return;
    awaited.set(element, begin(`animation ${String(apply(nameOf, element, []))}`));
  };

  intercept(EventTarget.prototype, 'addEventListener', (args, call, self) => {
    switch (args[0]) {
      case 'transitionend':
      case 'webkitTransitionEnd':
      case 'animationend':
      case 'webkitAnimationEnd':
        awaitEnd(self);
    }
    return call(args);
  });
  const watchAccess = (name: string, access: 'get' | 'set'): void => {
    const property = Object.getOwnPropertyDescriptor(Animation.prototype, name) ?? {};
    intercept(property, access, (args, call, self) => {
      const effect: unknown = apply(effectOf, self, []);
      if (effect instanceof KeyframeEffect) awaitEnd(apply(targetOf, effect, []));
      return call(args);
    });
    Object.defineProperty(Animation.prototype, name, property);
  };
  watchAccess('finished', 'get');
  watchAccess('onfinish', 'set');
  return () => {
    awaited.forEach((work, element) => {
      if (isAnimated(element)) return;
      awaited.delete(element);
      end(work);
    });
  };
}
