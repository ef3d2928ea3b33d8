import { createHash } from 'node:crypto';

/** All strings inside a value, without keys. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** The source of a regular expression that matches exactly this text. */
export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Characters that are invisible or change how a text is displayed. */
export const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes invisible characters except line breaks and tabs. Prevents terminal control sequences and look-alikes. */
export function escapeInvisible(text: string): string {
  return text.replace(invisible, (unit) =>
    unit === '\n' || unit === '\t' ? unit : `\\u{${(unit.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
