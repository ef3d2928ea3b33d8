import { fairShare } from '../model/fair-share.js';
import { PageText } from '../model/page-text.js';

const delimiterBytes = 66;
/** For the mark at the end of a truncated text. */
const markBytes = 40;

/** The size of a value in structured content. */
function bytesOf(value: unknown): number {
  if (value instanceof PageText) return bytesOf(value.before + value.text) + delimiterBytes;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + bytesOf(each) + 1, 2);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).reduce((sum, [key, each]) => sum + bytesOf(key) + bytesOf(each) + 2, 2);
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}

/** Truncates a result until it fits, large parts first. Adds what is omitted to `leftOut`, with counts. */
export function fit(value: unknown, maxBytes: number, leftOut: string[], name = ''): unknown {
  if (bytesOf(value) <= maxBytes) return value;
  if (typeof value === 'string') return cutText(value, maxBytes, leftOut, name);
  if (value instanceof PageText) return fitPageText(value, maxBytes - delimiterBytes, leftOut, name);
  if (Array.isArray(value)) return cutList(value, maxBytes, leftOut, name);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const keyBytes = entries.reduce((sum, [key]) => sum + bytesOf(key) + 2, 2);
  const share = fairShare(
    entries.map(([, each]) => bytesOf(each)),
    maxBytes - keyBytes,
  );
  return Object.fromEntries(
    entries.map(([key, each]) => [key, fit(each, share, leftOut, name === '' ? key : `${name}.${key}`)]),
  );
}

function fitPageText(value: PageText, maxBytes: number, leftOut: string[], name: string): PageText {
  let text = value;
  for (let bytes = maxBytes, tries = 0; tries < 4 && bytes > 0; tries++) {
    text = value.shorter(bytes);
    const size = bytesOf(text.text);
    if (size <= maxBytes) return text;
    bytes = Math.floor(bytes * (maxBytes / size));
  }
  return text.map((whole) => cutText(whole, maxBytes, leftOut, name));
}

/** Keeps the beginning, in whole lines if possible. */
function cutText(text: string, maxBytes: number, leftOut: string[], name: string): string {
  let kept = text;
  for (let over = Infinity; kept !== '' && over > 0;) {
    over = bytesOf(kept) - (maxBytes - markBytes);
    // A character takes up to six bytes.
    if (over > 0) kept = kept.slice(0, -Math.ceil(over / 6));
  }
  const lineEnd = kept.lastIndexOf('\n');
  if (lineEnd > kept.length / 2) kept = kept.slice(0, lineEnd + 1);
  kept = kept.replace(/[\ud800-\udbff]$/, '');
  const count = text.length - kept.length;
  leftOut.push(`${count} characters of ${name}`);
  return `${kept}… (${count} more characters)`;
}

/** Keeps the latest items, which are last. */
function cutList(list: readonly unknown[], maxBytes: number, leftOut: string[], name: string): unknown[] {
  let left = maxBytes - 2;
  let first = list.length;
  for (; first > 0; first--) {
    left -= bytesOf(list[first - 1]) + 1;
    if (left < 0) break;
  }
  const kept = first === list.length ? [fit(list.at(-1), maxBytes - 3, leftOut, name)] : list.slice(first);
  const missing = list.length - kept.length;
  if (missing > 0) leftOut.push(`${missing} of ${list.length} ${name}`);
  return kept;
}
