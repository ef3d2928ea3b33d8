import { tokenizer } from 'acorn';

function tokensOf(code: string): string[] {
  return [...tokenizer(code, { ecmaVersion: 'latest' })].map(({ start, end }) => code.slice(start, end));
}

/** The names that code uses, without those of members. */
export function namesIn(code: string): Set<string> {
  const tokens = tokensOf(code);
  return new Set(tokens.filter((_, index) => tokens[index - 1] !== '.' && tokens[index + 1] !== ':'));
}

/** The same text for the same code, however it is formatted. */
export function canonical(code: string): string {
  const tokens = tokensOf(code);
  return tokens
    .filter((token, index) => token !== ';' && !(token === ',' && /^[)\]}]$/.test(tokens[index + 1] ?? '')))
    .join(' ');
}
