import { escapeRegExp } from './text.js';

/** Why a part of a text differs in the next run or release: a time or generated id (`passing`), the number of a record or version, or an amount. */
export type Change = 'passing' | 'record' | 'amount';

interface Form {
  change: Change;
  form: RegExp;
  /** The regular expression that replaces the part. */
  as: (part: string) => string;
}

const day =
  '(?:(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)[,.]?\\s+)?';
const month =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?';
const unit = '(?:ms|milliseconds?|s|secs?|seconds?|mins?|minutes?|h|hours?|days?|weeks?|months?|years?)';
const record =
  '(?:order|invoice|ticket|booking|reservation|receipt|case|reference|ref|transaction|confirmation|id|no|nr)';
const counted = [
  'unread|new|items?|results?|messages?|notifications?|comments?|replies|reviews?|ratings?|likes?|votes?|views?',
  'followers?|members?|entries|entry|matches|products?|tasks?|files?|selected|left|remaining|online|pending',
].join('|');
// Starts at the first digit and does not backtrack: a text of digits would otherwise take quadratic time.
const number = '(?<!\\d|\\d[.,])(?=(\\d+(?:[.,]\\d+)*))\\1';
const price = '(?<=[$€£¥]\\s?)\\d+(?:[.,]\\d+)*';

/** A version with three numbers, such as `v2.1.0-beta.1`. */
const version = /(?<![\w.])v?\d{1,9}\.\d{1,9}\.\d{1,9}(?![\d.])(?:[-+][\w.]{1,40})?/giu;

const maxJudged = 1000;

const digits = (part: string): string => (/\D/.test(part) ? '[\\d.,]+' : '\\d+');

const forms: Form[] = [
  // Dates and times
  passing(`\\b${day}${month}\\s+\\d{1,2}(?:st|nd|rd|th)?,?\\s+\\d{4}\\b`),
  passing(`\\b${day}${month}\\s+\\d{1,4}(?:st|nd|rd|th)?\\b`),
  passing(`\\b${day}\\d{1,2}(?:\\.|st|nd|rd|th)?\\s+(?:of\\s+)?${month}(?:\\s+\\d{4})?(?!\\p{L})`),
  passing('\\b\\d{4}-\\d{2}-\\d{2}T[\\d:.]+Z?'),
  passing('\\b\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}\\b'),
  passing('\\b\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{2,4}\\b'),
  passing('\\b\\d{1,2}:\\d{2}(?::\\d{2})?(?:\\s?[ap]m)?\\b'),
  // Durations and distances in time
  passing(`\\b(?:${number}|an?)\\s?${unit}\\s+(?:ago|left|remaining|later)\\b`),
  passing(`\\b${number}\\s?(?:ms|secs?|seconds?)\\b`),
  passing('\\b\\d{1,4}[.,]\\d{1,3}\\s?s\\b'),
  passing('(?<=\\b(?:in|took|after)\\s)\\d{1,4}\\s?(?:s|m|min|h)\\b(?:\\s?\\d{1,2}\\s?s\\b)?'),
  passing('(?:just now|\\byesterday|\\btomorrow)\\b'),
  // Generated ids
  passing('\\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\b', '[\\w-]+'),
  // Hexadecimal
  passing('\\b(?=[a-f]*\\d)(?=\\d*[a-f])[0-9a-f]{12,}\\b', '\\w+'),
  passing('\\d{6,}', '\\d+'),
  // A whole word of alternating letters and digits
  passing('\\b(?=[a-z\\d]*?\\d[a-z]+\\d[a-z\\d]{6})(?=([a-z\\d]+))\\1\\b', '\\w+'),
  // Numbers of records and versions, counts and prices
  { change: 'record', form: /(?<=#)\d+\b/gu, as: digits },
  { change: 'record', form: new RegExp(`(?<=\\b${record}\\b[.:]?\\s)\\d{3,}\\b`, 'giu'), as: digits },
  // A code with letters, such as `2NGG44`
  {
    change: 'record',
    form: new RegExp(
      `(?<=\\b${record}\\b(?:\\s(?:number|no\\.?|code|id))?[.:]?\\s)(?=[a-z-]*\\d)(?=[\\d-]*[a-z])[a-z\\d-]{4,}\\b`,
      'giu',
    ),
    as: () => '[\\w-]+',
  },
  { change: 'record', form: version, as: () => '[\\w.+-]+' },
  { change: 'amount', form: new RegExp(`${number}(?=\\s?[€£¥])|${price}`, 'gu'), as: digits },
  // A number in parentheses is a count, unless it is a year.
  { change: 'amount', form: new RegExp(`(?<=\\()(?!(?:19|20)\\d\\d\\))${number}(?=\\))`, 'gu'), as: digits },
  { change: 'amount', form: new RegExp(`\\b${number}(?=\\s+(?:${counted})\\b)`, 'giu'), as: digits },
];

function passing(source: string, as = '.+'): Form {
  return { change: 'passing', form: new RegExp(source, 'giu'), as: () => as };
}

/** Whether a text seems to contain a time, a duration or a generated id. Texts in `kept`, such as typed dates, don't count. */
export function isVolatile(text: string, kept?: readonly string[]): boolean {
  return partsOf(text.slice(0, maxJudged), ['passing'], kept).length > 0;
}

/** Whether a text only reports progress: a faster server may never show it. */
export function isTransient(text: string): boolean {
  return /(?:…|\.\.\.)$|^(?:please wait|(?:load|sav|send|search|runn|process|submitt|work|wait)ing)\W*$/iu.test(
    text.trim(),
  );
}

/** Whether a text contains a keyboard shortcut, whose keys depend on the operating system. */
export function hasShortcut(text: string): boolean {
  return /\b(?:ctrl|control|cmd|command|alt|option|shift|meta|win)\s?[-+]\s?\S|[⌘⇧⌥⌃]/i.test(
    text.slice(0, maxJudged),
  );
}

/**
 * A regular expression for the stable part of a text; undefined if nothing in it changes for one of these reasons, if the
 * stable part has no words, or if the text is long.
 */
export function stablePart(
  text: string,
  changes: readonly Change[],
  kept?: readonly string[],
): { regex: string } | undefined {
  const parts = text.length > maxJudged ? [] : partsOf(text, changes, kept);
  if (parts.length === 0) return undefined;
  const ends = [0, ...parts.map(({ end }) => end)];
  const stable = ends.map((end, index) => text.slice(end, parts[index]?.start));
  if (!stable.some((each) => /\p{L}{3}|\p{Lo}{2}/u.test(each))) return undefined;
  const regex = stable.map((each, index) => escapeRegExp(each) + (parts[index]?.as ?? '')).join('');
  return { regex: regex.replace(/\.\+(?:[\s,.–-]*\.\+)+/g, '.+') };
}

function partsOf(
  text: string,
  changes: readonly Change[],
  kept: readonly string[] = [],
): { start: number; end: number; as: string }[] {
  const isKept = (start: number, part: string): boolean =>
    kept.some((each) => {
      const at = text.indexOf(each, Math.max(0, start + part.length - each.length));
      return at !== -1 && at <= start;
    });
  const found = forms
    .filter(({ change }) => changes.includes(change))
    .flatMap(({ form, as }) =>
      [...text.matchAll(form)].flatMap(({ index, 0: part }) =>
        isKept(index, part) ? [] : [{ start: index, end: index + part.length, as: as(part) }],
      ),
    )
    .sort((one, other) => one.start - other.start || other.end - one.end);
  let reached = 0;
  return found.filter(({ start, end }) => {
    const isFree = start >= reached;
    if (isFree) reached = end;
    return isFree;
  });
}
