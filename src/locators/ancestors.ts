import { z } from 'zod';
import { callIsolated, type InPage } from '../browser/isolated.js';
import type { Pin } from '../browser/pin.js';

const ancestorSchema = z.strictObject({
  tagName: z.string(),
  role: z.string().optional(),
  name: z.string().optional(),
  testId: z.string().optional(),
  id: z.string().optional(),
  /** Class names made of words. */
  classNames: z.array(z.string()),
  /** Texts of leaf descendants, headings and labels first, except those inside the pinned element. */
  texts: z.array(z.string()),
  /** Numbers in the cells of a row that identify it if no text does, such as an order's. */
  numbers: z.array(z.string()),
  /** CSS selectors of icons inside the pinned element. */
  icons: z.array(z.string()),
});

/** An element or one of its ancestors, and what could identify it. */
export type Ancestor = z.infer<typeof ancestorSchema>;

/** The functions that `readAncestors` calls. */
const helpers = [
  clean,
  read,
  wordsIn,
  attributeOf,
  parentOf,
  contains,
  textIn,
  descendants,
  nameOf,
  textsOf,
  numbersOf,
  iconsOf,
];

/**
 * A pinned element and its ancestors, nearest first. Ancestors without identifying attributes are left out, except the
 * nearest one with a text.
 */
export function ancestorsOf({ id, frame }: Pin, testIdAttribute: string): Promise<Ancestor[]> {
  const arg = { id, testIdAttribute };
  return callIsolated(frame, readAncestors, { arg, schema: z.array(ancestorSchema), helpers });
}

/** Runs in the page, as do its helpers below. */
function readAncestors(
  { pinned }: InPage,
  { id, testIdAttribute }: { id: string; testIdAttribute: string },
): Ancestor[] {
  const roles: Record<string, string> = {
    ARTICLE: 'article',
    ASIDE: 'complementary',
    DIALOG: 'dialog',
    FIELDSET: 'group',
    LI: 'listitem',
    MAIN: 'main',
    NAV: 'navigation',
    OL: 'list',
    TABLE: 'table',
    TR: 'row',
    UL: 'list',
  };
  const roleWithName: Record<string, string> = { FORM: 'form', SECTION: 'region' };
  const maxAncestors = 9;
  const inner = pinned(id);
  if (inner === undefined) return [];
  const found: Ancestor[] = [];
  for (
    let outer: Element | null = inner;
    outer !== null && outer !== document.body && found.length < maxAncestors;
    outer = parentOf(outer)
  ) {
    const tag = String(read(Element.prototype, 'tagName', outer));
    const name = nameOf(outer);
    const explicit = clean(attributeOf(outer, 'role')).split(' ')[0];
    const role = explicit || roles[tag] || (name === '' ? undefined : roleWithName[tag]);
    const testId = attributeOf(outer, testIdAttribute) ?? undefined;
    const classNames = wordsIn(attributeOf(outer, 'class'));
    const texts = textsOf(outer, inner);
    const isNearest = texts.length > 0 && found.slice(1).every((each) => each.texts.length === 0);
    const identifies =
      role !== undefined ||
      testId !== undefined ||
      classNames.length > 0 ||
      tag.includes('-') ||
      tag in roleWithName;
    if (outer !== inner && !identifies && !isNearest) continue;
    const presentational = role === 'presentation' || role === 'none';
    found.push({
      tagName: tag.toLowerCase(),
      role: presentational ? undefined : role,
      name: name === '' ? undefined : name,
      testId,
      id: attributeOf(outer, 'id') ?? undefined,
      classNames: classNames.slice(0, 6),
      texts,
      numbers: role === 'row' && outer !== inner ? numbersOf(outer, inner) : [],
      icons: outer === inner ? iconsOf(outer) : [],
    });
  }
  return found;
}

function clean(text: string | null | undefined): string {
  return (text ?? '').slice(0, 1000).replace(/\s+/g, ' ').trim();
}

/** The classes that are made of words. */
function wordsIn(classes: string | null): string[] {
  return clean(classes)
    .split(' ')
    .filter((name) => /^(?:[a-z]{3,}|[a-z]{2}(?=[-_]+[a-z]{3}))(?:[-_]+[a-z]{2,})*$/.test(name));
}

/** Reads a property from the prototype: a form's fields named `parentNode` or `id` shadow its own. */
function read(prototype: object, property: string, node: Node): unknown {
  return Reflect.get(prototype, property, node);
}

function attributeOf(element: Element, name: string): string | null {
  return Element.prototype.getAttribute.call(element, name);
}

function parentOf(element: Element): Element | null {
  const parent = read(Node.prototype, 'parentNode', element);
  if (parent instanceof ShadowRoot) return parent.host;
  return parent instanceof Element ? parent : null;
}

function contains(outer: Node, other: Node): boolean {
  return Node.prototype.contains.call(outer, other);
}

function textIn(node: Node): string {
  const text = read(Node.prototype, 'textContent', node);
  return typeof text === 'string' ? clean(text) : '';
}

function descendants(element: Element, selector: string): Element[] {
  const maxFound = 500;
  const shadow = read(Element.prototype, 'shadowRoot', element);
  const nodes = [element, shadow].flatMap((root) => {
    const { prototype } = root instanceof ShadowRoot ? DocumentFragment : Element;
    const select: unknown = Reflect.get(prototype, 'querySelectorAll');
    const found: unknown = typeof select === 'function' && root && Reflect.apply(select, root, [selector]);
    return found instanceof NodeList ? Array.from(found) : [];
  });
  return nodes.filter((node) => node instanceof Element).slice(0, maxFound);
}

function nameOf(element: Element): string {
  const root = Node.prototype.getRootNode.call(element);
  const ids = clean(attributeOf(element, 'aria-labelledby')).split(' ');
  const labels = ids.map((each) => {
    const label = root instanceof Document || root instanceof ShadowRoot ? root.getElementById(each) : null;
    return label === null ? '' : textIn(label);
  });
  const [caption] = descendants(element, ':scope > legend, :scope > caption');
  return (
    clean(labels.join(' ')) ||
    clean(attributeOf(element, 'aria-label')) ||
    (caption === undefined ? '' : textIn(caption))
  );
}

function textsOf(element: Element, self: Element): string[] {
  const identifying =
    'h1, h2, h3, h4, h5, h6, [role=heading], legend, caption, th, [role=rowheader], label, strong, td';
  const leaves = [...descendants(element, identifying), ...descendants(element, '*')];
  const texts = leaves
    .filter((leaf) => element === self || (!contains(self, leaf) && !contains(leaf, self)))
    .map((leaf) => (read(Element.prototype, 'childElementCount', leaf) === 0 ? textIn(leaf) : ''));
  // A label that wraps a field has its text next to the field, and a counter its text next to the number.
  const outside = [element, ...leaves.filter((leaf) => leaf !== self && !contains(self, leaf))];
  const direct = outside.flatMap((each) => {
    const nodes = read(Node.prototype, 'childNodes', each);
    return nodes instanceof NodeList ? Array.from(nodes) : [];
  });
  texts.push(...direct.map((node) => (node instanceof Text ? textIn(node) : '')));
  const own = element === self ? '' : textIn(self);
  // Texts without letters (a price, a count, an icon glyph) change, or identify nothing.
  const useful = texts.filter((text) => text !== own && text.length <= 60 && /\p{L}/u.test(text));
  return [...new Set(useful)].slice(0, 4);
}

function numbersOf(row: Element, self: Element): string[] {
  const cells = descendants(row, 'td, th, [role=gridcell], [role=cell], [role=rowheader]');
  const others = cells.filter((cell) => !contains(cell, self)).map(textIn);
  return others.filter((text) => /^#?\d{3,12}$/.test(text)).slice(0, 2);
}

/** How a stylesheet, a font or a sprite says which icon it is: `data-icon`, a class, or the icon's id. */
function iconsOf(element: Element): string[] {
  return descendants(element, 'i, svg, use, img, span')
    .filter((icon) => icon !== element && !/[\p{L}\p{N}]/u.test(textIn(icon)))
    .flatMap((icon) => {
      const attributes = ['data-icon', 'data-testid', 'icon', 'name', 'href', 'xlink:href', 'src'];
      const tag = String(read(Element.prototype, 'tagName', icon)).toLowerCase();
      const own = attributes.flatMap((name) => {
        const value = attributeOf(icon, name) ?? '';
        return /^[\w./#-]{2,60}$/.test(value) ? [`${tag}[${name.replace(':', '\\:')}="${value}"]`] : [];
      });
      return [...own, ...wordsIn(attributeOf(icon, 'class')).map((name) => `.${name}`)];
    })
    .slice(0, 6);
}
