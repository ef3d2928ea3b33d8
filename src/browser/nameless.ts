import type { Page } from 'playwright';
import { z } from 'zod';
import { within } from '../model/within.js';
import { callIsolated, type InPage } from './isolated.js';
import { answeringFrames } from './frames.js';
import { parseSnapshot, partsOf, readable, type SnapshotView } from './snapshot.js';

/** Roles of elements that people use and that need a name. */
const controls = new Set(
  'button link checkbox radio switch textbox searchbox combobox spinbutton slider tab menuitem'.split(' '),
);
/** Of these, those that a value does not name. */
const fields = new Set(['textbox', 'searchbox', 'combobox', 'spinbutton', 'slider']);

/** Of these, those that the text beside them identifies. */
const toggles = new Set(['checkbox', 'radio', 'switch']);

/** Milliseconds to look for attributes, elements that are looked for at most, and characters of an attribute. */
const lookMs = 500;
const maxLooked = 200;
const maxValue = 60;

/** What was found for references of a page, also if it was nothing. */
const knownIn = new WeakMap<Page, Map<string, string>>();

/**
 * A snapshot in which each control without a name has an attribute that identifies it: its id, its name, or a
 * class such as that of its icon.
 */
export async function withAttributes(page: Page, snapshot: string): Promise<string> {
  const view = parseSnapshot(snapshot);
  const nameless = new Set(namelessIn(view).slice(0, maxLooked));
  if (nameless.size === 0) return snapshot;
  const known = knownIn.get(page) ?? new Map<string, string>();
  knownIn.set(page, known);
  const unknown = [...nameless].filter((ref) => !known.has(ref));
  if (unknown.length > 0)
    for (const [ref, attribute] of await attributesOfRefs(page, unknown)) known.set(ref, attribute);
  return view
    .map(({ raw, ref = '' }) => {
      const attribute = nameless.has(ref) ? known.get(ref) : undefined;
      return attribute ? raw.replace(` [ref=${ref}]`, ` [${attribute}] [ref=${ref}]`) : raw;
    })
    .join('\n');
}

/** The references of controls that no name, text, placeholder or content identifies. */
function namelessIn(view: SnapshotView): string[] {
  return view.flatMap((line, index) => {
    const { role = '', name = '', text } = partsOf(line);
    const isClickable = role === 'generic' && line.raw.includes(' [cursor=');
    if (line.ref === undefined || (!controls.has(role) && !isClickable) || readable(name) !== '') return [];
    const below = view.slice(index + 1, index + 1 + maxLooked);
    const end = below.findIndex(({ depth }) => depth <= line.depth);
    const inside = below.slice(0, end < 0 ? undefined : end);
    const beside = [view[index - 1], view[index + 1]].filter((each) => each?.depth === line.depth);
    const isIdentified = fields.has(role)
      ? inside.some((each) => each.text.startsWith('/placeholder:'))
      : text !== undefined ||
        inside.some(hasWords) ||
        (toggles.has(role) && beside.some((each) => each !== undefined && hasWords(each)));
    return isIdentified ? [] : [line.ref];
  });
}

function hasWords(line: SnapshotView[number]): boolean {
  const { name = '', text = '' } = partsOf(line);
  return !line.text.startsWith('/') && readable(`${name}${text}`) !== '';
}

async function attributesOfRefs(page: Page, refs: readonly string[]): Promise<Map<string, string>> {
  const frames = refs.every((ref) => ref.startsWith('e')) ? [page.mainFrame()] : answeringFrames(page);
  const schema = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), z.string()]))]));
  const call = { arg: { refs: [...refs], maxValue }, schema, limitMs: lookMs };
  const found = await Promise.all(
    frames.map((frame) => within(lookMs, callIsolated(frame, findAttributes, call))),
  );
  return new Map(
    found.flatMap((each = []) =>
      each.map(([ref, attributes]) => [
        ref,
        attributes
          .filter(([name, value]) => isTelling(name, value))
          .map((attribute) => attribute.join('='))[0] ?? '',
      ]),
    ),
  );
}

/** Whether a value says what an element is. */
function isTelling(name: string, value: string): boolean {
  const isWord = /^[a-z][\w:./-]*$/i.test(value) && !/\d{4,}|[a-f\d]{8}|^(?:css|sc|jss|svelte)-/.test(value);
  return isWord && (name !== 'class' || !/^(?:btn|button|link|nav|icon|fas?|far|svg)$/i.test(value));
}

/** Runs in the page: the attributes of the elements of some references that may identify them, the best first. */
function findAttributes(
  _: InPage,
  { refs, maxValue }: { refs: string[]; maxValue: number },
): [ref: string, attributes: [name: string, value: string][]][] {
  const wanted = new Set(refs);
  const found: [string, [string, string][]][] = [];
  const visit = (root: Document | ShadowRoot): void => {
    for (const element of Array.from(root.querySelectorAll('*'))) {
      if (element.shadowRoot !== null) visit(element.shadowRoot);
      const known: unknown = Reflect.get(element, '_ariaRef');
      const ref: unknown =
        typeof known === 'object' && known !== null ? Reflect.get(known, 'ref') : undefined;
      if (typeof ref !== 'string' || !wanted.has(ref)) continue;
      const names = element.getAttributeNames();
      const own = [...names.filter((name) => /^data-(?:test|cy|qa|e2e)/.test(name)), 'id', 'name', 'title'];
      const inside = Array.from(element.querySelectorAll('[class]')).slice(0, 3);
      const classes = [element, ...inside].flatMap((each) => Array.from(each.classList));
      const icons = classes.filter((name) => /(?:^|[-_])(?:icon|fa|bi|mdi|glyphicon|ti|ri)[-_]./.test(name));
      const others = Array.from(element.classList).sort((one, other) => other.length - one.length);
      const values = own.map((name): [string, string] => [name, element.getAttribute(name) ?? '']);
      const ofClass = [...icons, ...others].map((name): [string, string] => ['class', name]);
      found.push([ref, [...values, ...ofClass].filter(([, { length }]) => length > 0 && length <= maxValue)]);
    }
  };
  visit(document);
  return found;
}
