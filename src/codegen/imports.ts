import type { Import } from '../model/code.js';
import type { Language, TestModule } from '../model/emission.js';
import type { CodeStyle } from './format.js';
import { quote } from './quote.js';
import type { ImportData } from './template-data.js';

/** How imports are written. */
interface ImportStyle {
  language: Language;
  style?: Pick<CodeStyle, 'commonJs' | 'importEnding' | 'parentsFirst'> | undefined;
}

/** One import for each module: those of Node first, relative ones last. */
export function importsOf(imports: readonly Import[], { language, style }: ImportStyle): ImportData[] {
  const commonJs = language === 'javascript' && style?.commonJs === true;
  const ending = language === 'typescript' ? style?.importEnding : commonJs ? '' : undefined;
  const modules = new Map<string, Pick<Import, 'default' | 'isModule'> & { names: Set<string> }>();
  for (const { from, default: name, isModule, names = [] } of imports) {
    const known = modules.get(from) ?? { default: name, isModule, names: new Set<string>() };
    const whole = { default: name ?? known.default, isModule: isModule ?? known.isModule };
    modules.set(from, { ...whole, names: new Set([...known.names, ...names]) });
  }
  const rank = (from: string): number => {
    if (from.startsWith('node:')) return 0;
    return !from.startsWith('.') ? 1 : style?.parentsFirst === true && from.startsWith('./') ? 3 : 2;
  };
  return [...modules]
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([from, each]) => {
      const module = specifierOf(from, ending);
      const data = { from: quote(module), default: each.default, names: [...each.names] };
      const isWhole = from.startsWith('node:') || each.isModule === true;
      return { ...data, code: importCode(data, commonJs, isWhole) };
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
function importCode(
  { from, default: name, names }: Omit<ImportData, 'code'>,
  commonJs: boolean,
  isWhole: boolean,
): string {
  const own = commonJs && name !== undefined && !isWhole ? [`default as ${name}`] : [];
  const named = [...own, ...names].join(', ');
  const bindings = [
    ...(name === undefined || own.length > 0 ? [] : [name]),
    ...(named === '' ? [] : [`{ ${named} }`]),
  ];
  if (!commonJs) return `import ${bindings.join(', ')} from ${from};`;
  return bindings.map((each) => `const ${each.replaceAll(' as ', ': ')} = require(${from});`).join('\n');
}

/** What a test needs besides its function. */
interface TestNeeds {
  usesExpect: boolean;
  usesDevices: boolean;
  /** Whether `expect` comes first. */
  expectFirst?: boolean | undefined;
}

/** The imports of what Playwright Test, or a module of the user's, gives to the test. */
export function testImports(
  own: TestModule | undefined,
  name: string,
  { usesExpect, usesDevices, expectFirst = false }: TestNeeds,
): Import[] {
  const exported = own?.test ?? 'test';
  const test = exported === name ? name : `${exported} as ${name}`;
  const expectation = usesExpect ? ['expect'] : [];
  const devices = usesDevices ? ['devices'] : [];
  const names = expectFirst ? [...expectation, test] : [test, ...expectation];
  if (own === undefined) return [{ from: '@playwright/test', names: [...names, ...devices] }];
  const others = [...(own.hasExpect ? [] : expectation), ...devices];
  return [
    ...(others.length === 0 ? [] : [{ from: '@playwright/test', names: others }]),
    { from: own.from, names: own.hasExpect ? names : [test] },
  ];
}
