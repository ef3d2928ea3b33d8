import { partsOf, type LineParts } from '../browser/snapshot.js';
import type { Assertion } from '../model/step.js';
import { escapeRegExp } from '../model/text.js';
import { isTransient, isVolatile, stablePart } from '../model/volatile.js';
import type { PageChange } from './changes.js';
import { limits } from './choose.js';
import type { ListChange } from './lists.js';

/** The fields of an assertion. */
export type AssertionArgs = Assertion['args'];

/** The possible assertions of a change, most specific first. */
export function assertionForms(change: PageChange, typed: readonly string[]): AssertionArgs[] {
  switch (change.kind) {
    case 'appeared': {
      const { role = '', states } = partsOf(change.line);
      if (role === 'textbox' && change.text !== undefined)
        return [{ matcher: 'toHaveValue', expected: change.text }];
      if (role === 'button' && states.includes('disabled')) return [{ matcher: 'toBeDisabled' }];
      // The visibility of a bare number says little.
      const isBare = change.text !== undefined && !/\p{L}/u.test(change.text);
      const isMessage = ['alert', 'status', 'log', 'tooltip'].includes(role) && change.text !== undefined;
      return [
        ...(isMessage || isBare ? textForms(change.text ?? '', typed) : []),
        ...(isSmallNumber(change) ? [] : [{ matcher: 'toBeVisible' }]),
      ];
    }
    case 'text':
      return [
        ...textForms(change.text, typed),
        ...(isSmallNumber(change) ? [] : [{ matcher: 'toBeVisible' }]),
      ];
    case 'name':
      return [
        { matcher: 'toHaveText', expected: change.text },
        { matcher: 'toHaveAccessibleName', expected: change.text },
        { matcher: 'toBeVisible' },
      ];
    case 'moved':
      return [{ matcher: 'toBeVisible' }];
    case 'value':
      // A combobox without a field shows its value as text.
      return ['toHaveValue', ...(partsOf(change.line).role === 'combobox' ? ['toHaveText'] : [])].map(
        (matcher) => ({ matcher, expected: change.text }),
      );
    case 'list':
      return listForms(change, typed);
    case 'focus':
      return [{ matcher: 'toBeFocused' }];
    case 'state': {
      const { state, on } = change;
      if (state === 'checked') return [{ matcher: 'toBeChecked', ...(on ? {} : { not: true }) }];
      if (state === 'disabled') return [{ matcher: on ? 'toBeDisabled' : 'toBeEnabled' }];
      return [{ matcher: 'toHaveAttribute', name: `aria-${state}`, expected: String(on) }];
    }
  }
}

/** Whether a text in plain markup is a small number, of which a page shows many. */
function isSmallNumber({ line }: PageChange): boolean {
  const { role, text = '' } = partsOf(line);
  return role === 'generic' && /^\d{1,2}$/.test(text);
}

/** Assertions of all items of a short list. */
function listForms({ list: { items } }: ListChange, typed: readonly string[]): AssertionArgs[] {
  const texts = items.map(({ words }) => words);
  if (items.length > limits.maxItems || texts.some((text) => text === '' || clip(text) !== text)) return [];
  const expected = texts.map((text) => stableText(text, typed));
  // A date has no stable part.
  const isStable = expected.every((text) => typeof text !== 'string' || !isVolatile(text, typed));
  return isStable && items.length > 0
    ? [
        { matcher: 'toHaveText', expected },
        { matcher: 'toContainText', expected },
      ]
    : [];
}

/**
 * A line of a template for `toMatchAriaSnapshot`, with its whole name or only a part, such as its start; undefined if its name or
 * text has no stable part, or only a label that does not name it.
 */
export function templateLine(
  { role = '', name, text, states }: Pick<LineParts, 'role' | 'name' | 'states' | 'text'>,
  typed: readonly string[],
  {
    isPart = false,
    isBeginning = false,
    isNamed = role === 'heading',
  }: { isPart?: boolean; isBeginning?: boolean; isNamed?: boolean } = {},
): string | undefined {
  const isUnstable = (each: string | undefined): boolean =>
    each !== undefined &&
    // Icon font glyphs.
    (/\p{Co}/u.test(each) ||
      isTransient(each) ||
      (isVolatile(each, typed) && !saysMore(stablePart(each, ['passing'], typed)?.regex ?? '')));
  // A single word before an id or a date is a label. In a heading it names the view, in a cell the row.
  const saysMore = (still: string): boolean => {
    const words = (text: string): number => (text.match(/\p{L}{2,}/gu) ?? []).length;
    const [label = '', ...others] = still.split(/(?:\\[wd]|\.|\[[^\]]+\])\+/);
    return still !== '' && (isNamed || words(label) > 1 || others.some((each) => words(each) > 0));
  };
  if (isUnstable(name) || isUnstable(text)) return undefined;
  const quoted = (each: string): string => {
    const stable = stableText(each, typed);
    const text = typeof stable === 'string' ? escapeRegExp(stable) : stable.regex;
    const form = (isBeginning ? `^${text}` : text).replaceAll('/', '\\/');
    return typeof stable === 'string' && !isPart ? JSON.stringify(stable) : `/${form}/`;
  };
  const key = [
    role,
    ...(name === undefined ? [] : [quoted(name)]),
    ...states.map((each) => `[${each}]`),
  ].join(' ');
  // These have a meaning in YAML.
  const entry = /: |:$| #|'/.test(key) ? `'${key.replaceAll("'", "''")}'` : key;
  return `- ${entry}${text === undefined ? '' : `: ${quoted(text)}`}`;
}

function textForms(text: string, typed: readonly string[]): AssertionArgs[] {
  const short = clip(text);
  const stable = stableText(short, typed);
  if (stable !== short) return [{ matcher: 'toHaveText', expected: stable }];
  return short === text
    ? [
        { matcher: 'toHaveText', expected: text },
        { matcher: 'toContainText', expected: text },
      ]
    : [{ matcher: 'toContainText', expected: short }];
}

/** A text, or a pattern of its stable part. Keeps amounts, which are often the point of a step. */
export function stableText(text: string, typed: readonly string[] = []): string | { regex: string } {
  return stablePart(text, ['passing', 'record'], typed) ?? text;
}

/** Cuts a long text at the end of a word. */
export function clip(text: string): string {
  return text.length <= limits.maxText ? text : text.slice(0, limits.maxText).replace(/\s+\S*$/, '');
}
