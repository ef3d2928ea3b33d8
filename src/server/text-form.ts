import { isRecord } from '../model/json.js';
import { PageText, rawText } from '../model/page-text.js';

/** Fields whose strings are ours; all others may quote a page. */
const ownFields = new Set(
  'sessionId title status file page cleared filePath files failed verification warnings remaining resets configuration screenshot detected leftOut'.split(
    ' ',
  ),
);
/** Nested fields that quote a page. */
const quotingFields = new Set(['failure', 'dropped']);
/** Fields that the code of a step already shows. */
const shownByCode = new Set('index code action assertions'.split(' '));

/** Fields that only programs use. */
const machineFields = new Set(['sha256']);

interface Lines {
  own: string[];
  page: string[];
}

/** A result as text: our own lines, then one block with the lines that may quote a page. */
export function textForm(
  { error, ...fields }: Record<string, unknown>,
  encloseBlock: (page: string) => string,
): string[] {
  const lines: Lines = { own: [], page: [] };
  if (isRecord(error)) printError(error, lines);
  for (const [key, value] of Object.entries(fields)) print(key, value, lines, ownFields.has(key));
  const { own, page } = lines;
  return [
    ...(own.length === 0 ? [] : [own.join('\n')]),
    ...(page.length === 0 ? [] : [encloseBlock(page.join('\n'))]),
  ];
}

function printError({ code, message, hint, retryAfterMs }: Record<string, unknown>, lines: Lines): void {
  lines.own.push(`Failed with ${String(code)}.`);
  for (const part of [message, hint])
    if (typeof part === 'string' || part instanceof PageText) linesFor(part, lines, true).push(rawText(part));
  print('retryAfterMs', retryAfterMs, lines, true);
}

function print(key: string, value: unknown, lines: Lines, isOwn: boolean): void {
  if (typeof value === 'number' || typeof value === 'boolean') lines.own.push(`${key}: ${value}`);
  else if (typeof value === 'string' || value instanceof PageText) {
    const text = rawText(value);
    const separator = text.includes('\n') ? '\n' : ' ';
    if (text !== '') linesFor(value, lines, isOwn).push(`${key}:${separator}${text}`);
  } else if (Array.isArray(value)) printList(key, value, lines, isOwn);
  else if (isRecord(value))
    for (const [name, each] of Object.entries(value))
      print(`${key}.${name}`, each, lines, isOwn && !quotingFields.has(name));
}

function printList(key: string, list: readonly unknown[], lines: Lines, isOwn: boolean): void {
  for (const side of [lines.own, lines.page]) {
    const items = list.filter((item) => linesFor(item, lines, isOwn) === side);
    if (items.length > 0) side.push(`${key}:`, ...items.flatMap(itemLines));
  }
}

function itemLines(item: unknown): string[] {
  if (typeof item === 'string' || item instanceof PageText) return [`- ${rawText(item)}`];
  if (!isRecord(item) || typeof item['code'] !== 'string') return [`- ${asJson(item)}`];
  const { index, code, assertions } = item;
  const rest = Object.entries(item).filter(
    // Most actions change something.
    ([key, value]) => value !== undefined && !shownByCode.has(key) && !(key === 'changed' && value === true),
  );
  if (code === '') return [];
  return [
    `${typeof index === 'number' ? `${index}: ` : ''}${code}`,
    ...rest.map(([key, value]) => `   ${key}: ${typeof value === 'string' ? value : asJson(value)}`),
    ...(Array.isArray(assertions) ? assertions.map((each) => `   ${codeOf(each)}`) : []),
  ];
}

function codeOf(assertion: unknown): string {
  return isRecord(assertion) ? String(assertion['code']) : String(assertion);
}

/** A value with plain page texts, for the block. */
function asJson(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (machineFields.has(key)) return undefined;
    return part instanceof PageText ? rawText(part) : part;
  });
}

function linesFor(value: unknown, { own, page }: Lines, isOwn: boolean): string[] {
  return isOwn && !holdsPageText(value) ? own : page;
}

function holdsPageText(value: unknown): boolean {
  if (value instanceof PageText) return value.text !== '';
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsPageText);
}
