import { expect, test } from '@playwright/test';
import { z } from 'zod';
import { invalidInput, requireBounded } from '../../src/model/invalid.js';

test('arguments are bounded in size, entries and depth', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 'x' : [nested(depth - 1)]);
  const accepted = [undefined, {}, { actions: [{ action: 'fill', value: 'x'.repeat(900_000) }] }, nested(60)];
  for (const args of accepted)
    expect(() => {
      requireBounded(args);
    }).not.toThrow();
  const refused = ['x'.repeat(1_000_001), Array.from({ length: 20_001 }, () => 1), nested(100)];
  for (const args of refused)
    expect(() => {
      requireBounded(args);
    }).toThrow('The arguments are too large.');
});

test('an error reports the first problems and counts the rest', () => {
  const schema = z.strictObject({ items: z.array(z.string()) });
  const { error } = schema.safeParse({
    items: Array.from({ length: 5000 }, () => 1),
    ['k'.repeat(100_000)]: 1,
  });
  if (error === undefined) throw new Error('expected an error');
  const { message, hint = '' } = invalidInput(error, 'tool', ['items'], schema);
  expect(message).toContain('4991 more problems');
  expect(message.length).toBeLessThan(4000);
  expect(hint.length).toBeLessThan(4000);
});
