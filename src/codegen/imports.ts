import type { Import } from '../model/code.js';
import type { TestModule } from '../model/emission.js';
import { quote } from './quote.js';
import type { ImportData } from './template-data.js';

/** One import for each module: those of Node first, relative ones last. */
export function importsOf(imports: readonly Import[], commonJs = false): ImportData[] {
  const modules = new Map<string, { default: string | undefined; names: Set<string> }>();
  for (const { from, default: name, names = [] } of imports) {
    const known = modules.get(from) ?? { default: name, names: new Set<string>() };
    modules.set(from, { default: name ?? known.default, names: new Set([...known.names, ...names]) });
  }
  const rank = (from: string): number => (from.startsWith('node:') ? 0 : from.startsWith('.') ? 2 : 1);
  return [...modules]
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([from, each]) => {
      const module = commonJs && from.startsWith('.') ? from.replace(/\.js$/, '') : from;
      const data = { from: quote(module), default: each.default, names: [...each.names] };
      return { ...data, code: importCode(data, commonJs) };
    });
}

/** An import declaration, or what has the same effect in CommonJS. */
function importCode({ from, default: name, names }: Omit<ImportData, 'code'>, commonJs: boolean): string {
  const own = commonJs && name !== undefined && !from.startsWith('"node:') ? [`default as ${name}`] : [];
  const named = [...own, ...names].join(', ');
  const bindings = [
    ...(name === undefined || own.length > 0 ? [] : [name]),
    ...(named === '' ? [] : [`{ ${named} }`]),
  ];
  if (!commonJs) return `import ${bindings.join(', ')} from ${from};`;
  return bindings.map((each) => `const ${each.replaceAll(' as ', ': ')} = require(${from});`).join('\n');
}

/** The imports of what Playwright Test, or a module of the user's, gives to the test. */
export function testImports(
  own: TestModule | undefined,
  name: string,
  { usesExpect, usesDevices }: { usesExpect: boolean; usesDevices: boolean },
): Import[] {
  const exported = own?.test ?? 'test';
  const test = exported === name ? name : `${exported} as ${name}`;
  const expectation = usesExpect ? ['expect'] : [];
  const devices = usesDevices ? ['devices'] : [];
  if (own === undefined) return [{ from: '@playwright/test', names: [test, ...expectation, ...devices] }];
  const others = [...(own.hasExpect ? [] : expectation), ...devices];
  return [
    ...(others.length === 0 ? [] : [{ from: '@playwright/test', names: others }]),
    { from: own.from, names: [test, ...(own.hasExpect ? expectation : [])] },
  ];
}
