import { createHash } from 'node:crypto';

/** All strings inside a value; keys are not among them. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** The source of a regular expression that matches exactly this text. */
export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** SHA-256 in hexadecimal. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Characters that a reader can't see, or that make a text look different from what it is. */
export const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes what a reader can't see, except for line ends and tabs. Prevents terminal control sequences and look-alikes. */
export function escapeInvisible(text: string): string {
  return text.replace(invisible, (unit) =>
    unit === '\n' || unit === '\t' ? unit : `\\u{${(unit.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
