import type { Import } from '../model/code.js';
import type { Language, TestModule } from '../model/emission.js';
import type { CodeStyle } from './format.js';
import { quote } from './quote.js';
import type { ImportData } from './template-data.js';

/** How imports are written. */
interface ImportStyle {
  language: Language;
  style?: Pick<CodeStyle, 'commonJs' | 'importEnding'> | undefined;
}

/** One import for each module: those of Node first, relative ones last. */
export function importsOf(imports: readonly Import[], { language, style }: ImportStyle): ImportData[] {
  const commonJs = language === 'javascript' && style?.commonJs === true;
  const ending = language === 'typescript' ? style?.importEnding : commonJs ? '' : undefined;
  const modules = new Map<string, { default: string | undefined; names: Set<string> }>();
  for (const { from, default: name, names = [] } of imports) {
    const known = modules.get(from) ?? { default: name, names: new Set<string>() };
    modules.set(from, { default: name ?? known.default, names: new Set([...known.names, ...names]) });
  }
  const rank = (from: string): number => (from.startsWith('node:') ? 0 : from.startsWith('.') ? 2 : 1);
  return [...modules]
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([from, each]) => {
      const module = specifierOf(from, ending);
      const data = { from: quote(module), default: each.default, names: [...each.names] };
      return { ...data, code: importCode(data, commonJs) };
    });
}

/** How a module is named: a file of TypeScript without its ending, as in Playwright's documentation, unless the project has one. */
function specifierOf(module: string, ending: CodeStyle['importEnding']): string {
  const [, name = module, given] = /^(\..*?)(\.[cm]?[jt]s)$/.exec(module) ?? [];
  if (given === '.ts' || (given === '.js' && ending === ''))
    return ending ? `${name}${ending}` : name.replace(/\/index$/, '');
  const isCompiled = (given === '.mts' || given === '.cts') && ending !== '.ts';
  return isCompiled ? `${name}${given.replace('t', 'j')}` : module;
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
