import path from 'node:path';
import type { PageObjectUse } from './generate.js';
import { camelCase, wordsOf } from './identifiers.js';
import type { OwnPage } from './own-pages.js';

/** The use of a person's page object in a test. */
export function useOf(
  { className, isFunction, isHelper, isDefault, isModule, alias, file }: OwnPage,
  { spec, ...use }: { spec: string; variable: string; isFixture: boolean },
): PageObjectUse {
  const kind = { isFunction, isHelper, isDefault, isModule };
  return { ...use, ...kind, className, from: alias ?? moduleFor(spec, file) };
}

/** What a page object is called in a test: a function's own name is taken. */
export function variableOf({ className, isFunction = false }: OwnPage): string {
  const words = wordsOf(className, 20);
  if (!isFunction) return camelCase(words);
  const [verb = '', ...noun] = words;
  if (noun.length > 0 && /^(?:create|make|get|new|use|build)$/i.test(verb)) return camelCase(noun);
  const isPage = words.length > 1 && /^page$/i.test(words.at(-1) ?? '');
  return camelCase(isPage ? words.slice(0, -1) : [...words, 'page']);
}

/** A file as it is seen from the directory of a spec. */
function moduleFor(spec: string, file: string): string {
  const relative = path.posix.relative(path.posix.dirname(spec), file);
  return relative.startsWith('.') ? relative : `./${relative}`;
}
