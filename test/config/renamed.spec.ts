import { renamedKeys, withNewNames } from '../../src/config/renamed.js';
import { configSchema } from '../../src/config/schema.js';
import { expect, test } from '../fixtures.js';

const renamed = [
  { from: 'verify.timeout', to: 'verify.timeoutMs', since: '1.2.0' },
  { from: 'dir', to: 'output.dir', since: '1.3.0' },
];

test('an old key warns and is translated; a new key beside it wins', () => {
  const warnings: string[] = [];
  const translate = (document: unknown): unknown =>
    withNewNames(document, (message) => warnings.push(message), renamed);
  expect(translate({ verify: { timeout: 1000, runs: 2 }, dir: 'tests' })).toEqual({
    verify: { timeoutMs: 1000, runs: 2 },
    output: { dir: 'tests' },
  });
  expect(warnings).toEqual([
    '"verify.timeout" is "verify.timeoutMs" since 1.2.0. The old name works until the next major version: rename it.',
    '"dir" is "output.dir" since 1.3.0. The old name works until the next major version: rename it.',
  ]);
  expect(translate({ dir: 'old', output: { dir: 'new' } })).toEqual({ output: { dir: 'new' } });
  const other = { verify: { runs: 3 }, output: null };
  for (const unchanged of [other, null, [], 'text']) expect(translate(unchanged)).toEqual(unchanged);
  expect(warnings).toHaveLength(3);
});

test('the new name of each renamed key is one of the configuration', () => {
  for (const { from, to } of renamedKeys) {
    const names = (path: string) => path.split('.')[0] ?? '';
    expect(Object.keys(configSchema.shape)).toContain(names(to));
    expect(from).not.toBe(to);
  }
});
