/** A text with its escapes decoded, and which part of the original each part of it comes from. */
export interface Decoded {
  text: string;
  origin: (part: { start: number; end: number }) => { start: number; end: number };
}

/** Escapes of one character: in JSON and source code, in HTML, and in URLs, as UTF-8 or else as Latin-1; and invisible ones. */
const escapes = new RegExp(
  [
    /(?:\\u\{|&#x)0{0,8}(?<code>[\da-f]{1,6})[};]/,
    /[\\%]u(?<unit>[\da-f]{4})/,
    /\\x(?<byte>[\da-f]{2})/,
    /&#0{0,8}(?<decimal>\d{1,7});/,
    /&(?<name>amp|lt|gt|quot|apos|nbsp);/,
    /(?<bytes>%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-4](?:%[89ab][\da-f]){3}|%[\da-f]{2})/,
    /\\(?<sign>[^a-z\d%&]|[nrt])/,
    /(?<invisible>[\u00ad\u200b-\u200d\u2060\ufeff])|\u00a0/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gi',
);

const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** Decodes all escapes once, whatever their kind; undefined if there are none. */
export function decode(text: string): Decoded | undefined {
  /** The decoded characters: where they are, and the part of the original. */
  const made: { at: number; length: number; start: number; end: number }[] = [];
  let decoded = '';
  let end = 0;
  for (const match of text.matchAll(escapes)) {
    const character = characterOf(match.groups ?? {});
    const start = match.index;
    decoded += text.slice(end, start);
    end = start + match[0].length;
    made.push({ at: decoded.length, length: character.length, start, end });
    decoded += character;
  }
  if (made.length === 0) return undefined;
  /** The original of one character. */
  const originOf = (place: number): { start: number; end: number } => {
    let [low, high] = [0, made.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((made[middle]?.at ?? 0) <= place) low = middle + 1;
      else high = middle;
    }
    const last = made[low - 1] ?? { at: 0, length: 0, start: 0, end: 0 };
    if (place < last.at + last.length) return last;
    const start = last.end + place - last.at - last.length;
    return { start, end: start + 1 };
  };
  return {
    text: decoded + text.slice(end),
    origin: ({ start, end }) => ({ start: originOf(start).start, end: originOf(end - 1).end }),
  };
}

function characterOf(groups: Readonly<Record<string, string | undefined>>): string {
  const { code, unit, byte, decimal, name, bytes, sign, invisible } = groups;
  const hex = unit ?? byte;
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  if (code !== undefined) return fromCodePoint(Number.parseInt(code, 16));
  if (decimal !== undefined) return fromCodePoint(Number(decimal));
  if (bytes !== undefined) {
    const data = Buffer.from(bytes.replaceAll('%', ''), 'hex');
    return data.toString(data.length === 1 ? 'latin1' : 'utf8');
  }
  if (sign !== undefined) return controls[sign.toLowerCase()] ?? sign;
  if (invisible !== undefined) return '';
  // A page may show any space as one that does not break.
  return names[name?.toLowerCase() ?? ''] ?? ' ';
}

function fromCodePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
}
