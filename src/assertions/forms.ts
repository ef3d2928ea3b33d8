import { partsOf } from '../browser/snapshot.js';
import type { Assertion } from '../model/step.js';
import { lastingPart } from '../model/volatile.js';
import type { PageChange } from './changes.js';
import { limits } from './choose.js';

/** The fields of an assertion. */
export type AssertionArgs = Assertion['args'];

/** The assertions of a change, the most specific first. */
export function assertionForms(change: PageChange): AssertionArgs[] {
  switch (change.kind) {
    case 'appeared': {
      const { role = '' } = partsOf(change.line);
      const isMessage = ['alert', 'status', 'log', 'tooltip'].includes(role) && change.text !== undefined;
      return [...(isMessage ? textForms(change.text ?? '') : []), { matcher: 'toBeVisible' }];
    }
    case 'text':
      return [...textForms(change.text), { matcher: 'toBeVisible' }];
    case 'name':
      return [{ matcher: 'toHaveAccessibleName', expected: change.text }, { matcher: 'toBeVisible' }];
    case 'moved':
      return [{ matcher: 'toBeVisible' }];
    case 'value':
      return [{ matcher: 'toHaveValue', expected: change.text }];
    case 'count':
      return [{ matcher: 'toHaveCount', expected: change.count }];
    case 'order':
      return [{ matcher: 'toContainText', expected: change.texts }];
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

function textForms(text: string): AssertionArgs[] {
  const short = clip(text);
  const stable = stableText(short);
  if (stable !== short) return [{ matcher: 'toHaveText', expected: stable }];
  return short === text
    ? [
        { matcher: 'toHaveText', expected: text },
        { matcher: 'toContainText', expected: text },
      ]
    : [{ matcher: 'toContainText', expected: short }];
}

/** What is asserted of a text: all of it, or its stable part. Amounts stay, since a step is often for them. */
export function stableText(text: string): string | { regex: string } {
  return lastingPart(text, ['passing', 'record']) ?? text;
}

/** A text, or its beginning up to the end of a word if it is long. */
export function clip(text: string): string {
  return text.length <= limits.maxText ? text : text.slice(0, limits.maxText).replace(/\s+\S*$/, '');
}
