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

/** More than the arguments of any call have. */
export const maxJsonEntries = 25_000;

/** Whether a JSON text has more entries. Parsing and validating millions of them would stop the process for seconds. */
export function hasManyEntries(text: string): boolean {
  let entries = 0;
  let isInString = false;
  for (let index = 0; index < text.length && entries <= maxJsonEntries; index++) {
    const character = text[index] ?? '';
    if (character === '"') isInString = !isInString;
    else if (isInString && character === '\\') index++;
    else if (!isInString && '[{,'.includes(character)) entries++;
  }
  return entries > maxJsonEntries;
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
