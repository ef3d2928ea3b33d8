import path from 'node:path';
import { inspect } from '../model/header.js';
import { cachedText } from './cached-text.js';
import { specsIn } from './common-test-module.js';

/** How a project names its specs, e.g. `camelCase.test`, with an example. */
export interface SpecNames {
  style: 'kebab-case' | 'camelCase' | 'PascalCase' | 'snake_case';
  suffix: 'spec' | 'test';
  spec: string;
}

/** How most specs in a directory are named; undefined if there are none. Emitted specs don't count. */
export async function specNamesIn(workspace: string, directory: string): Promise<SpecNames | undefined> {
  const names: SpecNames[] = [];
  const undecided: SpecNames[] = [];
  for (const spec of await specsIn(directory)) {
    const relative = path.relative(workspace, spec).split(path.sep).join('/');
    if (inspect(relative, (await cachedText(spec)) ?? '') !== 'foreign') continue;
    const [, stem = '', suffix] = /^(.*)\.(spec|test)\.[^.]+$/.exec(path.basename(spec)) ?? [];
    const style = styleOf(stem);
    const entry = {
      style: style ?? 'kebab-case',
      suffix: suffix === 'test' ? suffix : 'spec',
      spec: relative,
    } as const;
    (style === undefined ? undecided : names).push(entry);
  }
  const all = [...names, ...undecided];
  const style = mostCommon(names.map((each) => each.style)) ?? 'kebab-case';
  const suffix = mostCommon(all.map((each) => each.suffix)) ?? 'spec';
  return all.find((each) => each.style === style && each.suffix === suffix);
}

/** The style of a name; undefined for a single word. */
function styleOf(stem: string): SpecNames['style'] | undefined {
  if (/^[^_]+-/.test(stem)) return 'kebab-case';
  if (/^[^-]+_/.test(stem)) return 'snake_case';
  if (/^[a-z]+[a-z\d]*[A-Z]/.test(stem)) return 'camelCase';
  return /^[A-Z][a-z\d]+/.test(stem) ? 'PascalCase' : undefined;
}

function mostCommon<Value>(values: readonly Value[]): Value | undefined {
  const count = (value: Value): number => values.filter((each) => each === value).length;
  return values.reduce<Value | undefined>(
    (best, value) => (best === undefined || count(value) > count(best) ? value : best),
    undefined,
  );
}
