import { z } from 'zod';
import { invalidInput, requireBounded } from '../../src/model/invalid.js';
import { expect, test } from '../fixtures.js';

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

test('a union reports what is wrong with the form that fits best, or the types it takes', () => {
  const pattern = z.strictObject({ regex: z.string() });
  const text = z.union([z.string(), pattern]);
  const schema = z.strictObject({ value: z.union([text, z.array(text), z.number()]) });
  const problemOf = (value: unknown): string => {
    const { error } = schema.safeParse({ value });
    return error === undefined ? '' : invalidInput(error, 'tool', ['value'], schema).message;
  };
  expect(problemOf({ regex: 5 })).toBe('tool.value.regex: expected string, received number');
  expect(problemOf({ regex: 'a', flag: 'i' })).toBe('tool.value has no field "flag"');
  expect(problemOf(['a', true])).toBe('tool.value.1: expected string or object');
  expect(problemOf(true)).toBe('tool.value: expected string or object or array or number');
});
