import { looseForms, isLooseFormOf } from '../locators/loose-forms.js';
import { isAriaRole } from '../locators/roles.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isOptions, isPattern, type LocatorArgument, type LocatorChain } from '../model/locator.js';
import { parseJson } from '../model/json.js';
import { stringsIn } from '../model/text.js';
import { isVolatile } from '../model/volatile.js';
import { isField, linesAroundValues } from './fields.js';
import { clip, stableText } from './forms.js';

/** Minimum number of letters in a text with a pattern. */
const minLetters = 5;

function matchesText(text: string, wanted: LocatorArgument | undefined): boolean {
  if (typeof wanted === 'string') return text.toLowerCase().includes(wanted.toLowerCase());
  return isPattern(wanted) && isLooseFormOf(wanted, text);
}

/** Whether the last call of a locator matches a line of a snapshot. */
export function matchesLine(chain: LocatorChain, line: SnapshotLine): boolean {
  const call = chain.at(-1);
  const { role, name = '', text = '' } = partsOf(line);
  const [first, options] = call?.args ?? [];
  const isExact = isOptions(options) && options['exact'] === true;
  if (call?.method === 'getByRole') {
    const wanted = isOptions(options) ? options['name'] : undefined;
    return first === role && (wanted === undefined || matchesText(name, wanted));
  }
  return (
    call?.method !== 'locator' &&
    [name, text, `${name} ${text}`].some((words) => (isExact ? words === first : matchesText(words, first)))
  );
}

/** Whether a locator may match something in a snapshot; only its `getBy` calls count, since snapshots have no classes. */
export function mayMatchIn(locator: LocatorChain, view: SnapshotView): boolean {
  const chain = locator.filter(({ method }) => method.startsWith('getBy'));
  if (locator.findLast(({ method }) => method !== 'filter')?.method === 'locator') return true;
  const path: SnapshotLine[] = [];
  const holders = linesAroundValues(view);
  const isByText = chain.at(-1)?.method === 'getByText';
  if (isByText && isPairIn(view, chain.at(-1)?.args[0])) return true;
  return view.some((line) => {
    path.length = line.depth;
    path[line.depth] = line;
    // `getByText` does not match the value of a field.
    if (!matchesLine(chain, line) || (isByText && (isField(line) || holders.has(line)))) return false;
    let wanted = chain.length - 2;
    for (const above of path.slice(0, -1).reverse())
      if (wanted >= 0 && matchesLine(chain.slice(0, wanted + 1), above)) wanted--;
    return wanted < 0;
  });
}

/** Whether two adjacent lines, such as a label and its amount, make up a text. */
function isPairIn(view: SnapshotView, words: LocatorArgument | undefined): boolean {
  const texts = view.map((line) => partsOf(line).text ?? '');
  return texts.some((text, index) => {
    const next = texts[index + 1] ?? '';
    return text !== '' && next !== '' && [text + next, `${text} ${next}`].some((each) => each === words);
  });
}

/** A locator by the line's role and name, or its text; undefined if it has no stable text. */
export function literalLocator(line: SnapshotLine, typed: readonly string[] = []): LocatorChain | undefined {
  const { role, name, text } = partsOf(line);
  const words = stableText(clip(name ?? text ?? ''), typed);
  if (words === '' || (typeof words === 'string' && !/\p{L}|\d/u.test(words))) return undefined;
  // Too few letters match many texts.
  if (isPattern(words) && (words.regex.match(/\p{L}/gu) ?? []).length < minLetters) return undefined;
  if (name === undefined) return [{ method: 'getByText', args: [words] }];
  return role !== undefined && isAriaRole(role)
    ? [{ method: 'getByRole', args: [role, { name: words }] }]
    : undefined;
}

const templateOfOne = /^- ([a-z]+)(:)? ("(?:[^"\\\n]|\\.)*"|\/(?:[^/\\\n]|\\.)*\/)(?: \[level=\d\])?$/;

/** A locator of the only element in a template for `toMatchAriaSnapshot`; undefined if there are several. */
export function templateLocator(template: string): LocatorChain | undefined {
  const [, role = '', colon, quoted = ''] = templateOfOne.exec(unquoted(template)) ?? [];
  if (quoted === '' || (colon !== undefined && !['text', 'paragraph'].includes(role))) return undefined;
  const words = quoted.startsWith('"')
    ? stringsIn(parseJson(quoted)).join('')
    : { regex: quoted.slice(1, -1).replaceAll('\\/', '/') };
  if (words === '') return undefined;
  return colon === undefined
    ? [{ method: 'getByRole', args: [role, { name: words }] }]
    : [{ method: 'getByText', args: [words] }];
}

/** A line of a template without the quotes that YAML needs around some names. */
function unquoted(line: string): string {
  const entry = /^- '((?:[^'\n]|'')+)'$/.exec(line)?.[1];
  return entry === undefined ? line : `- ${entry.replaceAll("''", "'")}`;
}

/** A locator by role and name, or by text, that matches only this line before the step and nothing after it. */
export function uniqueLocator(
  line: SnapshotLine,
  before: SnapshotView,
  after: SnapshotView,
): LocatorChain | undefined {
  const { role, name, text } = partsOf(line);
  const words = name ?? text;
  if (role === undefined || words === undefined || !/\p{L}/u.test(words) || isVolatile(words))
    return undefined;
  const [chain] = looseForms(
    name === undefined
      ? [{ method: 'getByText', args: [clip(words)] }]
      : [{ method: 'getByRole', args: [role, { name }] }],
  );
  if (chain === undefined) return undefined;
  const count = (view: SnapshotView): number => view.filter((each) => matchesLine(chain, each)).length;
  const isKnown = name === undefined || isAriaRole(role);
  return isKnown && count(before) === 1 && count(after) === 0 ? chain : undefined;
}
