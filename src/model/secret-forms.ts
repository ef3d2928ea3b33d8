import { decode } from './decode.js';
import { escapeRegExp } from './text.js';

/** Selects password fields, even those that show what is typed. */
export const passwordField = 'input:is([type="password"], [autocomplete$="-password"])';

/** Runs in the page. Those of the elements that show one of the texts, which are in lower case: as their value or own text, or in pieces. */
export function elementsShowing(elements: readonly Element[], texts: readonly string[]): Element[] {
  const holds = (text: string): boolean => texts.some((each) => text.toLowerCase().includes(each));
  // A form's fields named `textContent` or `childNodes` shadow its own.
  const read = (name: string, node: Node): unknown => Reflect.get(Node.prototype, name, node);
  const textOf = (element: Element): string =>
    'value' in element && typeof element.value === 'string'
      ? element.value
      : String(read('textContent', element));
  const ownTextOf = (element: Element): string => {
    let text = '';
    for (let node = read('firstChild', element); node instanceof Node; node = read('nextSibling', node))
      if (node instanceof Text) text += node.data;
    return text;
  };
  const found = elements.filter((each) => holds(textOf(each)));
  return found
    .filter(
      (each) =>
        holds(ownTextOf(each)) ||
        !found.some((other) => other !== each && Node.prototype.contains.call(each, other)),
    )
    .map((each) => (each instanceof HTMLOptionElement ? (each.closest('select') ?? each) : each));
}

/** Minimum length of a secret: shorter ones occur in texts by chance. */
export const minValue = 4;

/** Minimum length of a redacted prefix or suffix of a value. */
const minEnd = 6;

/** A value of letters only is found in any case and in the middle of a text if it has at least this length. */
const minLetters = 12;

/** Prefixes and suffixes that are not secret: a scheme and host, a domain, the header of a key. */
const commonStart = /^(?:[a-z]+:\/\/[^/]*\/?|(?:bearer|basic|token) |-{5}BEGIN[^\n]*\n)/i;
const commonEnd = /@[\w.-]+$|\n-{5}END[^\n]*\n?$/;

/** How often a text is decoded: a URL can be in a URL, which is in JSON. */
const maxLayers = 3;

/** A part of a text that is a secret, or a prefix or suffix of one. */
export interface Found {
  start: number;
  end: number;
  name: string;
}

/** Finds the values of secrets in a text, also if they are encoded. */
export class SecretSearch {
  private readonly exact: RegExp;
  private readonly folded: RegExp;
  private readonly names: string[];

  constructor(private readonly values: ReadonlyMap<string, string>) {
    const longestFirst = [...values].sort(([one], [other]) => other.length - one.length);
    this.names = longestFirst.map(([, name]) => name);
    const groups = (test: (value: string) => boolean): string =>
      longestFirst
        .map(([value]) => (test(value) ? `(${formsOf(value).map(escapeRegExp).join('|')})` : '([])'))
        .join('|');
    this.exact = new RegExp(
      groups((value) => !isDistinct(value)),
      'g',
    );
    this.folded = new RegExp(groups(isDistinct), 'gi');
  }

  /** Whole values, in order. */
  wholes(text: string): Found[] {
    return this.inLayers(text, (layer) => [
      ...this.matches(layer, this.exact),
      ...this.matches(layer, this.folded),
    ]);
  }

  /** Whole values, except for plain words. */
  distinct(text: string): Found[] {
    return this.inLayers(text, (layer) => this.matches(layer, this.folded));
  }

  /** Whole values, prefixes and suffixes. */
  all(text: string): Found[] {
    const pieces = this.inLayers(text, (layer) => {
      const lower = fold(layer);
      return [...this.values].flatMap(([value, name]) =>
        [value, ...linesOf(value)].flatMap((each) =>
          piecesOf(layer, lower, each).map((piece) => ({ ...piece, name })),
        ),
      );
    });
    return merged([...this.wholes(text), ...pieces]);
  }

  /** What is found in a text, and in what it becomes if its escapes are decoded. */
  private inLayers(text: string, find: (layer: string) => Found[], layers = maxLayers): Found[] {
    const decoded = layers > 0 ? decode(text) : undefined;
    const inner = decoded === undefined ? [] : this.inLayers(decoded.text, find, layers - 1);
    return merged([...find(text), ...inner.map((each) => ({ ...each, ...decoded?.origin(each) }))]);
  }

  private matches(text: string, pattern: RegExp): Found[] {
    return [...text.matchAll(pattern)].map((match) => {
      const group = match.slice(1).findIndex((each: string | undefined) => each !== undefined);
      return { start: match.index, end: match.index + match[0].length, name: this.names[group] ?? '' };
    });
  }
}

/** Merges overlapping parts; the first one, or else the longest, determines the name. */
function merged(found: Found[]): Found[] {
  const kept: Found[] = [];
  for (const each of found.sort((one, other) => one.start - other.start || other.end - one.end)) {
    const last = kept.at(-1);
    if (last === undefined || each.start >= last.end) kept.push({ ...each });
    else last.end = Math.max(last.end, each.end);
  }
  return kept;
}

/** Whether a text is unlikely to occur by chance. */
function isDistinct(text: string): boolean {
  return text.length >= minLetters || /[^\p{L}\s]/u.test(text);
}

/** Lower case, with the same number of characters. */
function fold(text: string): string {
  return text.replace(/\p{Lu}/gu, (letter) => {
    const lower = letter.toLowerCase();
    return lower.length === letter.length ? lower : letter;
  });
}

/** Prefixes and suffixes of a value in a text. */
function piecesOf(text: string, lower: string, value: string): Omit<Found, 'name'>[] {
  const folded = fold(value);
  const piece = (start: number, end: number, expected: string, isCut: boolean): Omit<Found, 'name'>[] => {
    const found = text.slice(start, end);
    return found.length < value.length && (isDistinct(found) || (isCut && found === expected))
      ? [{ start, end }]
      : [];
  };
  const first = minEnd + (commonStart.exec(value)?.[0].length ?? 0);
  const last = minEnd + (commonEnd.exec(value)?.[0].length ?? 0);
  const starts = placesOf(lower, folded.slice(0, first)).flatMap((start) => {
    let length = first;
    while (length < value.length && lower[start + length] === folded[length]) length++;
    return piece(
      start,
      start + length,
      value.slice(0, length),
      /^(?:["'”]?$|…|\.\.\.)/.test(text.slice(start + length, start + length + 3)),
    );
  });
  const ends = placesOf(lower, folded.slice(-last)).flatMap((at) => {
    const end = at + last;
    let length = last;
    while (length < value.length && lower[end - length - 1] === folded.at(-length - 1)) length++;
    const before = text.slice(Math.max(0, end - length - 3), end - length);
    return piece(end - length, end, value.slice(-length), /(?:^|…|\.\.\.)$/.test(before));
  });
  return value.length < Math.max(first, last) ? [] : [...starts, ...ends];
}

function placesOf(text: string, wanted: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) places.push(at);
  return places;
}

/** A value as it is in texts without escapes: plain, spelled out, in groups of digits, in base64 and hex; longest first. */
function formsOf(value: string): string[] {
  const composed = (['NFC', 'NFD', 'NFKC'] as const).map((form) => value.normalize(form));
  const plain = [value, ...composed].flatMap((text) => [
    text,
    // As a page shows it, in the form of a query, and in a URL.
    text.trim().replace(/\s+/g, ' '),
    text.replaceAll(' ', '+'),
    text.replace(/[\t\r\n]/g, ''),
    // In YAML and SQL.
    text.replaceAll("'", "''"),
    ...linesOf(text),
  ]);
  const grouped = /^\d{6,10}$/.test(value) ? [2, 3, 4] : [];
  const spaced = [1, ...grouped].flatMap((size) =>
    [' ', '-'].map((sign) => (value.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? []).join(sign)),
  );
  const coded = [value, jsonOf(value)].flatMap(base64Of);
  const hex = Buffer.from(value).toString('hex');
  return [...new Set([...plain, ...spaced, ...coded, hex, hex.toUpperCase()])]
    .filter((form) => form.length >= minValue)
    .sort((one, other) => other.length - one.length);
}

/** The lines of a value such as a private key, without header lines such as `-----BEGIN PRIVATE KEY-----`. */
function linesOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= minEnd && !line.startsWith('--'));
}

function jsonOf(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Base64 of a value, and its stable part in the base64 of a longer text such as `user:password`. */
function base64Of(value: string): string[] {
  return (['utf8', 'latin1', 'utf16le'] as const)
    .map((encoding) => Buffer.from(value, encoding))
    .flatMap((bytes) => [
      bytes.toString('base64'),
      ...[0, 1, 2].map((before) => {
        const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
        const certain = Math.floor(((before + bytes.length) * 8) / 6);
        return encoded.slice(Math.ceil((before * 8) / 6), certain);
      }),
    ])
    .flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}
