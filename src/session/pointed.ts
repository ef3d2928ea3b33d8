import type { Frame, Page } from 'playwright';
import { z } from 'zod';
import { callIsolated, newOperationId, operation, type InPage } from '../browser/isolated.js';
import type { LivePage } from '../browser/live-page.js';
import { pinNow, type Pin } from '../browser/pin.js';
import { bestLocator } from '../locators/best-locator.js';
import { CodegenError } from '../model/errors.js';
import { answerMs, responseWithin } from '../model/within.js';
import { locatorCode } from './step-code.js';

/** Maximum nesting depth of frames. */
const maxDepth = 8;
/** Characters of a value, and options of a list, that are shown. */
const maxText = 10_000;
const maxOptions = 200;
/** Characters of a text that an assertion has. */
const maxAsserted = 200;

const itemRoles = ['listitem', 'option', 'row'] as const;

const factsSchema = z.strictObject({
  /** Set if the point is in a frame: its coordinates there. */
  inner: z.strictObject({ x: z.number(), y: z.number() }).nullable(),
  kind: z.enum(['text', 'select', 'file', 'toggle', 'other']),
  /** Whether its value must be hidden. */
  isPassword: z.boolean(),
  isMultiline: z.boolean(),
  /** Whether it is a control, which can be disabled. */
  isControl: z.boolean(),
  value: z.string(),
  text: z.string(),
  options: z.array(z.string()),
  /** Role of the items of the list that it is, or is in. */
  itemRole: z.enum(itemRoles).nullable(),
});

/** The element at a point of the page. */
export interface PointedElement extends Pick<
  z.infer<typeof factsSchema>,
  'kind' | 'isPassword' | 'isMultiline' | 'value' | 'options'
> {
  /** The locator that a test would use. */
  target: string;
  /** Whether a checkbox or radio button is checked. */
  checked: boolean;
  /** The assertions that fit it and its page, with their current values, if they are asked for. */
  assertions: FittingAssertion[];
}

/**
 * Finds the element that a person points at, as they mean it: the button, not the icon in it. Without a point, finds the
 * one that has the focus. Throws TARGET_NOT_FOUND.
 */
export async function elementAt(
  { page }: Pick<LivePage, 'page'>,
  point: { x: number; y: number } | null,
  { testIdAttribute, asserts = false }: { testIdAttribute: string; asserts?: boolean },
): Promise<PointedElement> {
  let frame: Frame = page.mainFrame();
  let at = point;
  for (let depth = 0; depth < maxDepth; depth++) {
    const id = newOperationId();
    const facts = await callIsolated(frame, pointedAt, {
      arg: { id, listId: listOf(id), at, maxText, maxOptions },
      schema: factsSchema.optional(),
    });
    const locator = frame.locator(operation('pinned', id));
    const pin = facts && (await pinNow(locator, { frame }));
    if (facts === undefined || pin === undefined) break;
    const { inner, kind, isPassword, isMultiline, value, options } = facts;
    const child = inner === null ? null : await frameIn(pin);
    if (inner === null || child === null) {
      const list =
        facts.itemRole === null
          ? undefined
          : await pinNow(frame.locator(operation('pinned', listOf(id))), { frame });
      return {
        ...{ kind, isPassword, isMultiline, value, options },
        checked: pin.facts.state.checked === true,
        target: await targetOf(pin, { testIdAttribute }),
        assertions: asserts ? await fittingAssertions({ page, pin, list, facts }, testIdAttribute) : [],
      };
    }
    [frame, at] = [child, at && inner];
  }
  throw new CodegenError('TARGET_NOT_FOUND', 'There is no element at this point.', {
    hint: 'The page may have changed; look at it again.',
  });
}

/** The id of the pin of an element's list. */
function listOf(id: string): string {
  return `${id}-list`;
}

async function targetOf(pin: Pin, options: Parameters<typeof bestLocator>[1]): Promise<string> {
  return locatorCode(await bestLocator(pin, options)).replace(/^page\./, '');
}

/** The arguments of an `expect`. */
export interface FittingAssertion {
  target?: string;
  matcher: string;
  expected?: string | number | string[];
  name?: string;
  not?: boolean;
  options?: { indeterminate: true };
}

interface AssertedElement {
  page: Page;
  pin: Pin;
  list: Pin | undefined;
  facts: z.infer<typeof factsSchema>;
}

async function fittingAssertions(
  { page, pin, list, facts: { isPassword, isControl, text, itemRole } }: AssertedElement,
  testIdAttribute: string,
): Promise<FittingAssertion[]> {
  const { checked, value, values, attributes, focused } = pin.facts.state;
  const known = { target: await targetOf(pin, { testIdAttribute }) };
  // A locator that contains the asserted value would find no element whose value is another.
  const by = async (...asserted: string[]): Promise<{ target: string }> => ({
    target: await targetOf(pin, { testIdAttribute, asserted }),
  });
  const [isDisabled, title] = await responseWithin(
    answerMs,
    Promise.all([pin.locator.isDisabled({ timeout: answerMs }), page.title()]),
  );
  const found: FittingAssertion[] = [];
  if (checked === 'mixed') found.push({ ...known, matcher: 'toBeChecked', options: { indeterminate: true } });
  else if (checked !== undefined)
    found.push({ ...known, matcher: 'toBeChecked', ...(!checked && { not: true }) });
  if (!isPassword && values !== undefined)
    found.push({ ...(await by(...values)), matcher: 'toHaveValues', expected: values });
  else if (!isPassword && value !== undefined)
    found.push({ ...(await by(value)), matcher: 'toHaveValue', expected: value });
  else if (text !== '' && checked === undefined) found.push({ ...(await by(text)), ...textAssertion(text) });
  for (const [name, expected] of Object.entries(attributes))
    found.push({ ...known, matcher: 'toHaveAttribute', name, expected });
  if (list !== undefined && itemRole !== null) {
    const target = `${await targetOf(list, { testIdAttribute })}.getByRole(${JSON.stringify(itemRole)})`;
    const items = list.locator.getByRole(itemRole);
    const expected = await responseWithin(answerMs, items.count());
    found.push({ target, matcher: 'toHaveCount', expected });
  }
  found.push({ ...known, matcher: 'toBeVisible' });
  if (isControl || isDisabled) found.push({ ...known, matcher: isDisabled ? 'toBeDisabled' : 'toBeEnabled' });
  if (focused) found.push({ ...known, matcher: 'toBeFocused' });
  if (title !== '') found.push({ matcher: 'toHaveTitle', expected: title });
  return [...found, { matcher: 'toHaveURL', expected: page.url() }];
}

/** Of a long text, the first words. */
function textAssertion(text: string): Pick<FittingAssertion, 'matcher' | 'expected'> {
  if (text.length <= maxAsserted) return { matcher: 'toHaveText', expected: text };
  return { matcher: 'toContainText', expected: text.slice(0, maxAsserted).replace(/\s\S*$/, '') };
}

async function frameIn({ locator }: Pin): Promise<Frame | null> {
  const handle = await responseWithin(answerMs, locator.elementHandle({ timeout: answerMs }));
  try {
    return await responseWithin(answerMs, handle.contentFrame());
  } finally {
    void handle.dispose().catch(() => undefined);
  }
}

interface PointedCall {
  id: string;
  listId: string;
  at: { x: number; y: number } | null;
  maxText: number;
  maxOptions: number;
}

/** Runs in the page. */
function pointedAt(
  { pin, marked }: InPage,
  { id, listId, at, maxText, maxOptions }: PointedCall,
): z.infer<typeof factsSchema> | undefined {
  const elementIn = (root: Document | ShadowRoot): Element | null =>
    at === null ? root.activeElement : root.elementFromPoint(at.x, at.y);
  let element = elementIn(document);
  for (let inner = element; inner !== null && inner.shadowRoot !== null;) {
    const deeper: Element | null = elementIn(inner.shadowRoot);
    if (deeper === null || deeper === inner) break;
    element = inner = deeper;
  }
  if (at === null && element === document.body) return undefined;
  if (element === null) return undefined;
  const controls =
    'a[href], button, summary, input, select, textarea, label, [contenteditable=""], [contenteditable="true"], [role="button"], [role="link"], [role="tab"], [role="option"], [role="menuitem"], [role="checkbox"], [role="radio"], [role="switch"], [role="textbox"], [role="combobox"]';
  element = element.closest(controls) ?? element;
  if (element instanceof HTMLLabelElement && element.control !== null) element = element.control;
  pin(id, element);
  const list = element.closest(
    'ul, ol, [role="list"], [role="listbox"], table, [role="table"], [role="grid"]',
  );
  if (list !== null) pin(listId, list);
  const listRole = list?.getAttribute('role') ?? list?.tagName;
  const type = element instanceof HTMLInputElement ? element.type : '';
  const isToggle = type === 'checkbox' || type === 'radio';
  const isButton = ['button', 'submit', 'reset', 'image', 'range', 'color', 'hidden'].includes(type);
  const isEditable = element instanceof HTMLElement && element.isContentEditable;
  const isTextArea = element instanceof HTMLTextAreaElement;
  const isText = isEditable || isTextArea || (element instanceof HTMLInputElement && !isToggle && !isButton);
  const isPassword =
    type === 'password' ||
    /-password$/.test(element.getAttribute('autocomplete') ?? '') ||
    marked().includes(element);
  const box = element.getBoundingClientRect();
  const value = 'value' in element && typeof element.value === 'string' ? element.value : '';
  return {
    inner:
      element instanceof HTMLIFrameElement
        ? { x: (at?.x ?? 0) - box.left - element.clientLeft, y: (at?.y ?? 0) - box.top - element.clientTop }
        : null,
    kind:
      element instanceof HTMLSelectElement
        ? 'select'
        : type === 'file'
          ? 'file'
          : isToggle
            ? 'toggle'
            : isText
              ? 'text'
              : 'other',
    isPassword,
    isMultiline: isTextArea || isEditable,
    isControl: element.matches(controls),
    value: isPassword
      ? ''
      : (isEditable && element instanceof HTMLElement ? element.innerText : value).slice(0, maxText),
    // As `toHaveText` reads it, if it has no scripts.
    text:
      isPassword || element.querySelector('script, style, noscript') !== null
        ? ''
        : element.textContent.replace(/\s+/g, ' ').trim().slice(0, maxText),
    options:
      element instanceof HTMLSelectElement
        ? Array.from(element.options, (option) => option.label).slice(0, maxOptions)
        : [],
    itemRole:
      list === null
        ? null
        : listRole === 'listbox'
          ? 'option'
          : listRole === 'table' || listRole === 'grid' || listRole === 'TABLE'
            ? 'row'
            : 'listitem',
  };
}
