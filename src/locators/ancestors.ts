/** An element around another one, told by what a person would tell it by. */
export interface Surrounding {
  /** In lower case. */
  tagName: string;
  role: string | undefined;
  name: string | undefined;
  testId: string | undefined;
  /** Class names that are words. */
  classNames: string[];
  /** Texts of single children, headings and labels first, none of them from the inner element. */
  texts: string[];
}

/**
 * Runs in the page: the element itself and what is around it, from the nearest outwards; what tells nothing is left
 * out, but for the element itself.
 */
export function surroundings(inner: Element, testIdAttribute: string): Surrounding[] {
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
  const clean = (text: string | null | undefined): string => (text ?? '').replace(/\s+/g, ' ').trim();

  function nameOf(element: Element): string {
    const ids = clean(element.getAttribute('aria-labelledby')).split(' ');
    const root = element.getRootNode();
    const labels = ids.map((id) =>
      root instanceof Document || root instanceof ShadowRoot ? root.getElementById(id)?.textContent : '',
    );
    const caption = element.querySelector(':scope > legend, :scope > caption');
    return (
      clean(labels.join(' ')) || clean(element.getAttribute('aria-label')) || clean(caption?.textContent)
    );
  }

  function textsOf(element: Element): string[] {
    const telling =
      'h1, h2, h3, h4, h5, h6, [role=heading], legend, caption, th, [role=rowheader], label, strong, td';
    const leaves = [...element.querySelectorAll(telling), ...element.querySelectorAll('*')];
    const texts = leaves
      .filter((leaf) => element === inner || (!inner.contains(leaf) && !leaf.contains(inner)))
      .map((leaf) => (leaf.childElementCount === 0 ? clean(leaf.textContent) : ''));
    const direct = [...element.childNodes].map((node) =>
      node.nodeType === Node.TEXT_NODE ? clean(node.textContent) : '',
    );
    const own = element === inner ? '' : clean(inner.textContent);
    const useful = [...texts, ...direct].filter((text) => text !== '' && text !== own && text.length <= 60);
    return [...new Set(useful)].slice(0, 4);
  }

  const found: Surrounding[] = [];
  const parentOf = (element: Element): Element | null => {
    const root = element.getRootNode();
    return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
  };
  for (
    let outer: Element | null = inner;
    outer !== null && outer !== document.body;
    outer = parentOf(outer)
  ) {
    const name = nameOf(outer);
    const explicit = clean(outer.getAttribute('role')).split(' ')[0];
    const role = explicit || roles[outer.tagName] || (name === '' ? undefined : roleWithName[outer.tagName]);
    const testId = outer.getAttribute(testIdAttribute) ?? undefined;
    const classNames = [...outer.classList].filter((className) =>
      /^[a-z]{3,}(?:[-_]+[a-z]{2,})*$/.test(className),
    );
    if (outer !== inner && role === undefined && testId === undefined && classNames.length === 0) continue;
    const presentational = role === 'presentation' || role === 'none';
    found.push({
      tagName: outer.tagName.toLowerCase(),
      role: presentational ? undefined : role,
      name: name === '' ? undefined : name,
      testId,
      classNames: classNames.slice(0, 6),
      texts: textsOf(outer),
    });
    if (found.length === 9) break;
  }
  return found;
}
