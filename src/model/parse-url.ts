/**
 * Undefined if a text is no URL. `URL.canParse` of Node.js 20 rejects hosts with letters such as `ü` once it is optimized.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
