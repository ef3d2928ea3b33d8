import type { Locator } from 'playwright';
import type { Pin } from './pin.js';

/** What an element shows of itself beyond its role and name. */
export interface ElementState {
  visible: boolean;
  /** The value of a field, or the text of an editable element; undefined for every other. */
  value: string | undefined;
  /** The selected values of a list that takes several. */
  values: string[] | undefined;
  /** Of native and ARIA checkboxes, radio buttons and switches. */
  checked: boolean | 'mixed' | undefined;
  editable: boolean;
  disabled: boolean;
  focused: boolean;
  /** The ARIA attributes that it has of those which tell a state. */
  attributes: Record<string, string>;
  /** Classes that are words, e.g. `active`: all that pages without ARIA tell. */
  classes: string[];
}

/** The state of the only element that a locator matches now; undefined where there is none or several. */
export function elementState(locator: Locator): Promise<ElementState | undefined> {
  return locator.evaluateAll(readState);
}

/** The state of a pinned element; undefined where it is gone. */
export async function pinnedState({ locator }: Pin): Promise<ElementState | undefined> {
  // A pin is known in Playwright's own world alone, in which `evaluateAll` does not look.
  const handles = await locator.elementHandles();
  try {
    return await handles[0]?.evaluate(readState);
  } finally {
    for (const handle of handles) void handle.dispose().catch(() => undefined);
  }
}

/** Runs in the page. */
function readState(given: Node | Node[]): ElementState | undefined {
  const [element, other] = Array.isArray(given) ? given : [given];
  if (!(element instanceof Element) || other !== undefined) return undefined;
  const stateAttributes = [
    'aria-expanded',
    'aria-pressed',
    'aria-selected',
    'aria-current',
    'aria-valuetext',
    'aria-valuenow',
    'aria-sort',
    'aria-invalid',
    'aria-checked',
  ];
  const attributes: Record<string, string> = {};
  for (const name of stateAttributes) {
    const value = element.getAttribute(name);
    if (value !== null) attributes[name] = value;
  }
  const root = element.getRootNode();
  const isField =
    element instanceof HTMLInputElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement;
  const type = element instanceof HTMLInputElement ? element.type : '';
  const isToggle = type === 'checkbox' || type === 'radio';
  const isButton = ['button', 'submit', 'reset', 'image', 'file', 'hidden'].includes(type);
  const isEditable = element instanceof HTMLElement && element.isContentEditable;
  const selected =
    element instanceof HTMLSelectElement && element.multiple
      ? Array.from(element.selectedOptions, (option) => option.value)
      : undefined;
  const togglesByRole = ['checkbox', 'radio', 'switch', 'menuitemcheckbox', 'menuitemradio'];
  const ariaChecked = togglesByRole.includes(element.getAttribute('role') ?? '')
    ? attributes['aria-checked']
    : undefined;
  let checked: boolean | 'mixed' | undefined;
  if (isToggle && element instanceof HTMLInputElement)
    checked = element.indeterminate ? 'mixed' : element.checked;
  else if (ariaChecked !== undefined) checked = ariaChecked === 'mixed' ? 'mixed' : ariaChecked === 'true';
  if (checked !== undefined) delete attributes['aria-checked'];
  let value: string | undefined;
  if (isField && !isToggle && !isButton && selected === undefined) value = element.value;
  else if (isEditable) value = element.innerText;
  return {
    visible: element.checkVisibility({ visibilityProperty: true }),
    value,
    values: selected,
    checked,
    editable: isEditable && !isField,
    disabled: element.matches(':disabled, [aria-disabled="true"]'),
    focused: root instanceof Document || root instanceof ShadowRoot ? root.activeElement === element : false,
    attributes,
    classes: Array.from(element.classList),
  };
}
