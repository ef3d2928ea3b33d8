import { z } from 'zod';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const jsonObject = z.record(z.string(), z.json());

/** An object as plain data, without undefined values. */
export function toJson(value: object): { [key: string]: Json } {
  return jsonObject.parse(JSON.parse(JSON.stringify(value)));
}

/** The value of a JSON text; undefined if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON with sorted keys: the same text for equal values. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isRecord(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Maps the items of a list, or the values of an object; anything else stays as it is. */
export function mapItems(value: unknown, map: (item: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => map(item));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item)]));
}
