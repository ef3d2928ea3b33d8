import { Slots } from '../../src/model/slots.js';
import { expect, test } from '../fixtures.js';

const { signal } = new AbortController();

/** Work that ends when it is told to. */
function piece(): { work: () => Promise<void>; end: () => void; hasBegun: () => boolean } {
  let hasBegun = false;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    work() {
      hasBegun = true;
      return ended;
    },
    end,
    hasBegun: () => hasBegun,
  };
}

test('a fixed number runs concurrently, the others wait in order and learn their position', async () => {
  const slots = new Slots(2, 2);
  const pieces = Array.from({ length: 4 }, piece);
  const heard: number[] = [];
  const runs = pieces.map(({ work }) => slots.run(signal, work, (before) => heard.push(before)));
  await expect(slots.run(signal, () => Promise.resolve())).rejects.toMatchObject({
    code: 'SESSION_LIMIT',
    retryAfterMs: expect.any(Number),
  });
  expect(heard).toEqual([2, 3]);
  expect(pieces.map(({ hasBegun }) => hasBegun())).toEqual([true, true, false, false]);
  pieces[1]?.end();
  await expect.poll(() => pieces[2]?.hasBegun()).toBe(true);
  expect(pieces.map(({ hasBegun }) => hasBegun())).toEqual([true, true, true, false]);
  for (const { end } of pieces) end();
  await Promise.all(runs);
  await slots.run(signal, () => Promise.resolve());
});

test('failed work passes its slot on, and cancelled work takes none', async () => {
  const slots = new Slots(1, 5);
  const [first, last] = [piece(), piece()];
  const failing = slots.run(signal, async () => {
    await first.work();
    throw new Error('failed');
  });
  const abort = new AbortController();
  const cancelled = slots.run(abort.signal, () => Promise.resolve());
  const next = slots.run(signal, last.work);
  abort.abort();
  await expect(cancelled).rejects.toMatchObject({ code: 'VERIFY_FAILED' });
  first.end();
  await expect(failing).rejects.toThrow('failed');
  await expect.poll(last.hasBegun).toBe(true);
  last.end();
  await next;
  await expect(slots.run(abort.signal, () => Promise.resolve())).rejects.toMatchObject({
    code: 'VERIFY_FAILED',
  });
});
