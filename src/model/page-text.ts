/** Text from a page. Only the renderer of results turns it into a string, in delimiters: it may contain instructions. */
export class PageText {
  /** Our own words before it. */
  readonly before: string;
  readonly #shorter: (maxBytes: number) => string;

  /** `shorter` returns the text in fewer bytes and says what it omits; by default, the end is cut off. */
  constructor(
    readonly text: string,
    { before = '', shorter = () => text }: { before?: string; shorter?: (maxBytes: number) => string } = {},
  ) {
    this.before = before;
    this.#shorter = shorter;
  }

  shorter(maxBytes: number): PageText {
    return this.map(() => this.#shorter(maxBytes));
  }

  map(change: (text: string) => string): PageText {
    const { before } = this;
    return new PageText(change(this.text), { before, shorter: (bytes) => change(this.#shorter(bytes)) });
  }
}

/** Marks a text as ours, for callers that treat plain strings as text from a page. */
export function ownText(text: string): PageText {
  return new PageText('', { before: text });
}

export function rawText(text: string | PageText): string {
  return text instanceof PageText ? text.before + text.text : text;
}

/** A page's URL. An http(s) URL contains neither spaces nor angle brackets and stays plain; others can contain any text. */
export function pageUrl(url: string): string | PageText {
  return /^(?:https?:\/\/[^\s<>]*|about:blank|)$/.test(url) ? url : new PageText(url);
}
