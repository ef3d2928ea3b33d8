/**
 * Text that a page chose. Only the renderer of results turns it into a string, and encloses it in delimiters, so that
 * no agent takes it for instructions.
 */
export class PageText {
  /** Our own words before it. */
  readonly before: string;
  readonly #shorter: (maxBytes: number) => string;

  /** `shorter` makes the text again in fewer bytes, counting what it leaves out; by default, its end is cut. */
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

/** Our own words, where a text is otherwise taken for a page's. */
export function ownText(text: string): PageText {
  return new PageText('', { before: text });
}

/** A text without delimiters. */
export function rawText(text: string | PageText): string {
  return text instanceof PageText ? text.before + text.text : text;
}

/** A page's address. A URL of HTTP holds neither spaces nor angle brackets, so it stays plain; others hold any text. */
export function pageUrl(url: string): string | PageText {
  return /^(?:https?:\/\/[^\s<>]*|about:blank|)$/.test(url) ? url : new PageText(url);
}
