import { partsOf, type LineParts } from '../browser/snapshot.js';
import type { Assertion } from '../model/step.js';
import { escapeRegExp } from '../model/text.js';
import { isTransient, isVolatile, stablePart } from '../model/volatile.js';
import type { PageChange } from './changes.js';
import { limits } from './choose.js';
import type { ListChange } from './lists.js';

/** The fields of an assertion. */
export type AssertionArgs = Assertion['args'];

/** The assertions of a change, the most specific first. */
export function assertionForms(change: PageChange, typed: readonly string[]): AssertionArgs[] {
  switch (change.kind) {
    case 'appeared': {
      const { role = '', states } = partsOf(change.line);
      if (role === 'textbox' && change.text !== undefined)
        return [{ matcher: 'toHaveValue', expected: change.text }];
      if (role === 'button' && states.includes('disabled')) return [{ matcher: 'toBeDisabled' }];
      // That a number is somewhere says little.
      const isBare = change.text !== undefined && !/\p{L}/u.test(change.text);
      const isMessage = ['alert', 'status', 'log', 'tooltip'].includes(role) && change.text !== undefined;
      return [
        ...(isMessage || isBare ? textForms(change.text ?? '', typed) : []),
        { matcher: 'toBeVisible' },
      ];
    }
    case 'text':
      return [...textForms(change.text, typed), { matcher: 'toBeVisible' }];
    case 'name':
      return [
        { matcher: 'toHaveText', expected: change.text },
        { matcher: 'toHaveAccessibleName', expected: change.text },
        { matcher: 'toBeVisible' },
      ];
    case 'moved':
      return [{ matcher: 'toBeVisible' }];
    case 'value':
      return [{ matcher: 'toHaveValue', expected: change.text }];
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

/** All of a short list. */
function listForms({ list: { items } }: ListChange, typed: readonly string[]): AssertionArgs[] {
  const texts = items.map(({ words }) => words);
  const isShort =
    items.length <= limits.maxItems && texts.every((text) => text !== '' && clip(text) === text);
  const expected = texts.map((text) => stableText(text, typed));
  return isShort && items.length > 0
    ? [
        { matcher: 'toHaveText', expected },
        { matcher: 'toContainText', expected },
      ]
    : [];
}

/**
 * A line of a template for `toMatchAriaSnapshot`, with the beginning of its name or all of it; undefined if nothing in
 * its name or text is stable.
 */
export function templateLine(
  { role = '', name, text, states }: Pick<LineParts, 'role' | 'name' | 'states' | 'text'>,
  typed: readonly string[],
  isBeginning = false,
): string | undefined {
  const isUnstable = (each: string | undefined): boolean =>
    each !== undefined &&
    // A glyph of an icon font is not a word.
    (/\p{Co}/u.test(each) ||
      isTransient(each) ||
      (isVolatile(each, typed) && stablePart(each, ['passing'], typed) === undefined));
  if (isUnstable(name) || isUnstable(text)) return undefined;
  const quoted = (each: string): string => {
    const stable = stableText(each, typed);
    const text = typeof stable === 'string' ? escapeRegExp(stable) : stable.regex;
    const form = (isBeginning ? `^${text}` : text).replaceAll('/', '\\/');
    return typeof stable === 'string' && !isBeginning ? JSON.stringify(stable) : `/${form}/`;
  };
  const key = [
    role,
    ...(name === undefined ? [] : [quoted(name)]),
    ...states.map((each) => `[${each}]`),
  ].join(' ');
  // YAML takes these for more than text.
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

/** What is asserted of a text: all of it, or its stable part. Amounts stay, since a step is often for them. */
export function stableText(text: string, typed: readonly string[] = []): string | { regex: string } {
  return stablePart(text, ['passing', 'record'], typed) ?? text;
}

/** A text, or its beginning up to the end of a word if it is long. */
export function clip(text: string): string {
  return text.length <= limits.maxText ? text : text.slice(0, limits.maxText).replace(/\s+\S*$/, '');
}
