import { escapeRegExp } from './text.js';
import { parseUrl } from './parse-url.js';

/** Whether Playwright accepts a glob: it throws for nested and unclosed braces. */
export function isGlob(glob: string): boolean {
  // Resolving the dots would remove a segment with only one of two braces.
  const isTorn = /\{[^}]*\//.test(glob) && /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(glob);
  return !isTorn && /^(?:[^\\{}]|\\[^]|\{(?:[^\\{}]|\\[^])*\})*\\?$/.test(glob);
}

/** Translates a glob as Playwright does; a relative one is resolved against the base URL. */
export function globRegex(glob: string, baseURL: string | undefined): string {
  return `^${convert(resolve(glob, baseURL))}$`;
}

function convert(glob: string): string {
  let inGroup = false;
  return glob.replace(/\\[^]|\*+\/?|[^]/g, (token, offset: number) => {
    if (token.startsWith('\\') && token.length > 1) return escapeRegExp(token.slice(1));
    if (token === '*') return '[^/]*';
    if (token === '*/') return '[^/]*/';
    if (token.startsWith('*') && token.endsWith('/')) return glob[offset - 1] === '/' ? '(?:.+/|)' : '.*/';
    if (token.startsWith('*')) return '.*';
    if (token === '{' || token === '}') {
      inGroup = token === '{';
      return inGroup ? '(?:' : ')';
    }
    return token === ',' && inGroup ? '|' : escapeRegExp(token);
  });
}

/** Replaces parts with wildcards by plain names, since the URL parser would encode them. */
function resolve(glob: string, baseURL: string | undefined): string {
  if (glob.startsWith('*')) return glob;
  const plain = glob.replaceAll('\\\\?', '?');
  if (/^(?:about|data|chrome|edge|file):/.test(plain)) return plain;
  const kept: [name: string, part: string][] = [];
  const keep = (part: string, name: string): string => {
    if (part !== '') kept.push([name, part]);
    return part === '' ? '' : name;
  };
  const parts = plain.split('/').map((part, index) => {
    if (part === '.' || part === '..' || part === '') return part;
    if (index === 0 && part.endsWith(':')) return /[*{]/.test(part) ? keep(part, 'http:') : part;
    if (!/[*?{}\\]/.test(part)) return part;
    const query = part.indexOf('?');
    if (query === -1) return keep(part, `$_${index}_$`);
    return keep(part.slice(0, query), `$_${index}_$`) + keep(part.slice(query), `?$_${index}_$`);
  });
  const relative = parts.join('/');
  const url = parseUrl(relative, baseURL);
  return kept.reduce(
    (text, [name, part]) =>
      text.replace(name, () => (url?.origin.includes(name) === true ? part.toLowerCase() : part)),
    url?.href ?? relative,
  );
}
