import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { formatted } from '../../src/codegen/format.js';
import { expect, test } from '../fixtures.js';

const line = 'await page.getByRole("button", { name: "Save", exact: true }).click( );\n';

test('formatting a large source does not hold the event loop', async () => {
  await formatted('a', 'javascript');
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const begun = performance.now();
  const text = await formatted(line.repeat(2000), 'typescript');
  const took = performance.now() - begun;
  delay.disable();
  expect(text.split('\n')).toHaveLength(2001);
  expect(delay.max / 1e6).toBeLessThan(took / 2);
});

test('a source that is too large is not formatted', async () => {
  await expect(formatted(' '.repeat(1_000_001), 'javascript')).rejects.toMatchObject({
    code: 'FILE_TOO_LARGE',
  });
});

test('invalid code is an error, and the next source is formatted', async () => {
  const [invalid, valid] = await Promise.allSettled([
    formatted('a b', 'javascript'),
    formatted('const  a : number = 1', 'typescript'),
  ]);
  expect(invalid).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringMatching(/^Missing semicolon|^Unexpected/) },
  });
  expect(valid).toEqual({ status: 'fulfilled', value: 'const a: number = 1;\n' });
});
