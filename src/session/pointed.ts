import type { Frame } from 'playwright';
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
/** Characters of a text, and options of a list, that are shown. */
const maxText = 1000;
const maxOptions = 200;

const factsSchema = z.strictObject({
  /** Set if the point is in a frame: its coordinates there. */
  inner: z.strictObject({ x: z.number(), y: z.number() }).nullable(),
  kind: z.enum(['text', 'select', 'file', 'toggle', 'other']),
  /** Whether its value must be hidden. */
  isPassword: z.boolean(),
  isMultiline: z.boolean(),
  checked: z.boolean(),
  disabled: z.boolean(),
  value: z.string(),
  text: z.string(),
  options: z.array(z.string()),
});

/** The element at a point of the page. */
export interface PointedElement extends Omit<z.infer<typeof factsSchema>, 'inner'> {
  /** The locator that a test would use. */
  target: string;
}

/**
 * Finds the element that a person points at, as they mean it: the button, not the icon in it. Without a point, finds the
 * one that has the focus. Throws TARGET_NOT_FOUND.
 */
export async function elementAt(
  { page }: Pick<LivePage, 'page'>,
  point: { x: number; y: number } | null,
  testIdAttribute: string,
): Promise<PointedElement> {
  let frame: Frame = page.mainFrame();
  let at = point;
  for (let depth = 0; depth < maxDepth; depth++) {
    const id = newOperationId();
    const facts = await callIsolated(frame, pointedAt, {
      arg: { id, at, maxText, maxOptions },
      schema: factsSchema.optional(),
    });
    const locator = frame.locator(operation('pinned', id));
    const pin = facts && (await pinNow(locator, { frame }));
    if (facts === undefined || pin === undefined) break;
    const { inner, ...rest } = facts;
    const child = inner === null ? null : await frameIn(pin);
    if (inner === null || child === null) return { ...rest, target: await targetOf(pin, testIdAttribute) };
    [frame, at] = [child, at && inner];
  }
  throw new CodegenError('TARGET_NOT_FOUND', 'There is no element at this point.', {
    hint: 'The page may have changed; look at it again.',
  });
}

async function targetOf(pin: Pin, testIdAttribute: string): Promise<string> {
  return locatorCode(await bestLocator(pin, { testIdAttribute })).replace(/^page\./, '');
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
  at: { x: number; y: number } | null;
  maxText: number;
  maxOptions: number;
}

/** Runs in the page. */
function pointedAt(
  { pin, marked }: InPage,
  { id, at, maxText, maxOptions }: PointedCall,
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
    checked: element instanceof HTMLInputElement && element.checked,
    disabled: element.matches(':disabled'),
    value: isPassword
      ? ''
      : (isEditable && element instanceof HTMLElement ? element.innerText : value).slice(0, maxText),
    text: isPassword || !(element instanceof HTMLElement) ? '' : element.innerText.trim().slice(0, maxText),
    options:
      element instanceof HTMLSelectElement
        ? Array.from(element.options, (option) => option.label).slice(0, maxOptions)
        : [],
  };
}
