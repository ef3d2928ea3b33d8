import { z } from 'zod';

export const elementStateSchema = z.strictObject({
  visible: z.boolean(),
  /** The value of a field, or the text of an editable element. */
  value: z.string().optional(),
  /** The selected values of a multiple selection. */
  values: z.array(z.string()).optional(),
  /** For native and ARIA checkboxes, radio buttons and switches. */
  checked: z.union([z.boolean(), z.literal('mixed')]).optional(),
  editable: z.boolean(),
  disabled: z.boolean(),
  focused: z.boolean(),
  /** The ARIA attributes that describe a state. */
  attributes: z.record(z.string(), z.string()),
  /** For pages without ARIA. */
  classes: z.array(z.string()),
  /** The classes of its nearest ancestors, nearest first. */
  classesAround: z.array(z.array(z.string())),
});

/** An element's state besides its role and name. */
export type ElementState = z.infer<typeof elementStateSchema>;

/** Runs in the page. `isHidden`: the element may contain a secret. */
export function readState(element: Element, isHidden: boolean): ElementState {
  const maxClasses = 100;
  const classesOf = (each: Element): string[] => Array.from(each.classList).slice(0, maxClasses);
  const states = 'expanded pressed selected current valuetext valuenow sort invalid checked'.split(' ');
  const attributes: Record<string, string> = {};
  for (const name of states.map((state) => `aria-${state}`)) {
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
  const classesAround: string[][] = [];
  for (
    let outer = element.parentElement;
    outer !== null && classesAround.length < 3;
    outer = outer.parentElement
  )
    classesAround.push(isHidden ? [] : classesOf(outer));
  let value: string | undefined;
  if (isHidden) value = undefined;
  else if (isField && !isToggle && !isButton && selected === undefined) value = element.value;
  else if (isEditable) value = element.innerText.trim();
  return {
    visible: element.checkVisibility({ visibilityProperty: true }),
    value,
    values: isHidden ? undefined : selected,
    checked,
    editable: isEditable && !isField,
    disabled: element.matches(':disabled, [aria-disabled="true"]'),
    focused: root instanceof Document || root instanceof ShadowRoot ? root.activeElement === element : false,
    attributes: isHidden ? {} : attributes,
    classes: isHidden ? [] : classesOf(element),
    classesAround,
  };
}
