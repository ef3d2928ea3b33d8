import { z } from 'zod';

/** A JSON value: what steps are made of, so that a session can be saved as it is. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const jsonObject = z.record(z.string(), z.json());

/** An object as plain data; what is undefined is left out. */
export function toJson(value: object): { [key: string]: Json } {
  return jsonObject.parse(JSON.parse(JSON.stringify(value)));
}

/** The value of a JSON text; undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
