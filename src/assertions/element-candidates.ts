import { traitsOf } from '../actions/registry.js';
import type { ElementState } from '../browser/element-state.js';
import type { Step } from '../model/step.js';
import { isStateClass } from '../locators/brittle.js';
import { isVolatile } from '../model/volatile.js';
import type { Candidate } from './candidates.js';
import { weights } from './choose.js';
import type { AssertionArgs } from './forms.js';
import type { ActedOutcome } from './observe.js';

/** States that say what another one says, and more plainly. */
const sayMore: Readonly<Record<string, readonly string[]>> = {
  valuenow: ['valuetext'],
  class: ['selected', 'expanded', 'pressed', 'checked', 'current', 'sort', 'disabled'],
};

interface StateAssertion {
  weight: number;
  about: string;
  args: AssertionArgs;
}

/** Assertions of the state of the element that a step acted on. */
export function stateCandidates(
  step: Step,
  { subject, pin, state: after }: ActedOutcome,
  before: ElementState,
): Candidate[] {
  const found = [
    ...focusAssertions(step, before, { ...after, role: pin.facts.role }),
    ...valueAssertions(step, before, after),
    ...checkedAssertions(step, before, after),
    ...attributeAssertions(before, after),
    ...outcomeAssertions(step, before, after),
  ];
  const states = found.map(({ about }) => about);
  return found
    .filter(({ about }) => !(sayMore[about] ?? []).some((other) => states.includes(other)))
    .map(({ weight, about, args }) => ({
      weight: repeatsInput(step, args) ? weights.own.repeated : weight,
      kind: `state ${about}`,
      subject,
      forms: [args],
      isRead:
        'chain' in subject && pin.facts.tagName === 'INPUT' && isReadState(args, pin.facts.state, after),
    }));
}

/** Whether the asserted state was read from the field and contains no secret. */
function isReadState(
  { matcher, not, expected, options }: AssertionArgs,
  read: ElementState,
  after: ElementState,
): boolean {
  if (options !== undefined) return false;
  if (matcher === 'toHaveValue') return read.value === expected;
  return matcher === 'toBeChecked' && read.checked === after.checked && read.checked === (not !== true);
}

/** Whether an assertion only repeats what the step set. */
export function repeatsInput(step: Step, { matcher, expected }: AssertionArgs): boolean {
  const { types = false, selects = false, toggles = false } = traitsOf(step);
  if (toggles) return matcher === 'toBeChecked';
  const { value = '' } = step.args;
  return types && (selects || expected === value) && typeof matcher === 'string' && isOfValue.test(matcher);
}

const isOfValue = /^toHave(?:Values?|Text)$/;

function valueAssertions(step: Step, before: ElementState, after: ElementState): StateAssertion[] {
  const { types: isTyping = false } = traitsOf(step);
  const weight = weights.own.value;
  if (after.values !== undefined) {
    const isChanged = before.values?.join('\n') !== after.values.join('\n');
    const args = { matcher: 'toHaveValues', expected: after.values };
    return isTyping || isChanged ? [{ weight, about: 'value', args }] : [];
  }
  const { value } = after;
  if (value === undefined || (!isTyping && before.value === value)) return [];
  // The page has restored the old value, which may change again.
  const isRestored = before.value === value && step.args['value'] !== value;
  if (isTyping ? isRestored : isVolatile(value)) return [];
  return [
    {
      weight: value === '' && !isTyping ? weights.emptied : weight,
      about: 'value',
      args: { matcher: after.editable ? 'toHaveText' : 'toHaveValue', expected: value },
    },
  ];
}

function checkedAssertions(step: Step, before: ElementState, { checked }: ElementState): StateAssertion[] {
  if (checked === undefined || (!traitsOf(step).toggles && before.checked === checked)) return [];
  const args: AssertionArgs =
    checked === 'mixed'
      ? { matcher: 'toBeChecked', options: { indeterminate: true } }
      : { matcher: 'toBeChecked', ...(checked ? {} : { not: true }) };
  return [{ weight: weights.own.checked, about: 'checked', args }];
}

function attributeAssertions(before: ElementState, after: ElementState): StateAssertion[] {
  return Object.entries(after.attributes)
    .filter(([name, value]) => before.attributes[name] !== value && !isVolatile(value))
    .map(([name, value]) => ({
      weight: weights.own.attribute,
      about: name.replace(/^aria-/, ''),
      args: { matcher: 'toHaveAttribute', name, expected: value },
    }));
}

/** Roles of elements that a click moves the focus or the selection to. */
const selectable = new Set(['gridcell', 'cell', 'row', 'treeitem', 'option']);

function focusAssertions(
  step: Step,
  before: ElementState,
  { focused, role = '' }: ElementState & { role: string | undefined },
): StateAssertion[] {
  const isMoved = traitsOf(step).clicks === true && focused && !before.focused && selectable.has(role);
  return isMoved ? [{ weight: weights.own.focus, about: 'focus', args: { matcher: 'toBeFocused' } }] : [];
}

function outcomeAssertions(step: Step, before: ElementState, after: ElementState): StateAssertion[] {
  const { own } = weights;
  const { outcome } = traitsOf(step);
  const gained = after.classes.find((name) => !before.classes.includes(name) && isStateClass(name));
  return [
    ...(before.disabled === after.disabled
      ? []
      : [
          {
            weight: own.disabled,
            about: 'disabled',
            args: { matcher: after.disabled ? 'toBeDisabled' : 'toBeEnabled' },
          },
        ]),
    ...(outcome === undefined || (outcome === 'toBeFocused' && !after.focused)
      ? []
      : [{ weight: own.outcome, about: 'outcome', args: { matcher: outcome } }]),
    ...(gained === undefined
      ? []
      : [{ weight: own.class, about: 'class', args: { matcher: 'toContainClass', expected: gained } }]),
  ];
}
