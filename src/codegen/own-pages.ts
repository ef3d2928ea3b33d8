import {
  SyntaxKind,
  type ClassDeclaration,
  type ConstructorDeclaration,
  type MethodDeclaration,
  type SourceFile,
} from 'ts-morph';
import { parse } from './base-spec.js';
import { importedNames, type OwnFixture } from './own-fixtures.js';
import { maxInlined, pageFunctions } from './page-functions.js';

/** A page object that the user wrote. Its code is that of a test in which the page is called `page`. */
export interface OwnPage {
  /** Relative to the workspace, with forward slashes. */
  file: string;
  /** The name of the class, or of the function. */
  className: string;
  isDefault: boolean;
  /** Whether it is a function that returns the page object. */
  isFunction?: boolean;
  /** Locators. */
  fields: { name: string; code: string }[];
  methods: OwnMethod[];
  /** For a class: the names of all its members, and whether a subclass can use `this.page`. */
  subclass?: { members: readonly string[]; hasPage: boolean };
  /** The fixtures that give one to a test. */
  fixtures?: readonly OwnFixture[];
}

export interface OwnMethod {
  name: string;
  parameters: string[];
  /** Its statements, and the lines in which they begin. */
  statements: { code: string; line: number }[];
}

/** Gives the module that another one imports; undefined if it is no file of the workspace. */
export type LoadModule = (
  from: string,
  importer: string,
) => Promise<{ file: string; text: string } | undefined>;

/** Maximum number of classes of a file that are read. */
const maxClasses = 30;
/** Maximum number of superclasses of a class. */
const maxSuperclasses = 5;

/**
 * The page objects in a file: exported classes whose constructor takes the page and nothing else, with what they inherit,
 * and functions that take the page and return an object. `problem` says why a file that may have some can't be read.
 */
export async function readOwnPages(
  file: string,
  text: string,
  load: LoadModule,
): Promise<{ pages: OwnPage[]; problem?: string }> {
  const source = parse(text, file);
  const [problem] = source.getProject().getProgram().getSyntacticDiagnostics(source);
  if (problem !== undefined) {
    const message = problem.getMessageText();
    const what = typeof message === 'string' ? message : message.getMessageText();
    return { pages: [], problem: `line ${problem.getLineNumber()}: ${what}` };
  }
  const commonJs = /module\.exports\s*=\s*\{([^{}]*)\}|exports\.(\w+)\s*=/g;
  const exported = new Set(
    [...text.matchAll(commonJs)].flatMap(([, list = '', name = '']) => [
      ...list.split(',').map((each) => each.trim()),
      name,
    ]),
  );
  const pages: Omit<OwnPage, 'file'>[] = [];
  const loadTree = treeLoader(load);
  for (const each of source.getClasses().slice(0, maxClasses)) {
    const className = each.getName();
    const isUsable = !each.isAbstract() && (each.isExported() || exported.has(className ?? ''));
    if (className === undefined || !isUsable) continue;
    const parts = partsOf(await lineageOf(each, file, loadTree));
    if (parts !== undefined) pages.push({ className, isDefault: each.isDefaultExport(), ...parts });
  }
  return { pages: [...pages, ...pageFunctions(source, exported)].map((page) => ({ file, ...page })) };
}

/** Gives the syntax tree of a module that another one imports. */
type LoadTree = (from: string, importer: string) => Promise<{ file: string; tree: SourceFile } | undefined>;

/** Reads each module once. */
function treeLoader(load: LoadModule): LoadTree {
  const trees = new Map<string, SourceFile>();
  return async (from, importer) => {
    const module = await load(from, importer);
    if (module === undefined) return undefined;
    const tree = trees.get(module.file) ?? parse(module.text, module.file);
    trees.set(module.file, tree);
    return { file: module.file, tree };
  };
}

/** A class and its superclasses, as far as they can be read, the first one first. */
async function lineageOf(own: ClassDeclaration, file: string, load: LoadTree): Promise<ClassDeclaration[]> {
  const lineage = [own];
  let place = file;
  for (let each = own; lineage.length <= maxSuperclasses;) {
    const name = each.getExtends()?.getExpression().getText();
    if (name === undefined) break;
    const source = each.getSourceFile();
    const imported = importedNames(source).get(name);
    const module = imported && (await load(imported.from, place));
    const isNamed = (other: ClassDeclaration): boolean =>
      imported?.name === 'default' ? other.isDefaultExport() : other.getName() === imported?.name;
    const base = imported === undefined ? source.getClass(name) : module?.tree.getClasses().find(isNamed);
    if (base === undefined) break;
    place = module?.file ?? place;
    lineage.unshift(base);
    each = base;
  }
  return lineage;
}

function partsOf(
  lineage: readonly ClassDeclaration[],
): Pick<OwnPage, 'fields' | 'methods' | 'subclass'> | undefined {
  if (lineage.some((each) => each.getConstructors().length > 1)) return undefined;
  const makers = lineage.flatMap((each) => each.getConstructors());
  const [parameter, ...more] = makers.at(-1)?.getParameters() ?? [];
  if (parameter === undefined) return undefined;
  const type = parameter.getTypeNode()?.getText() ?? '';
  const isPage = type === 'Page' || (type === '' && parameter.getName() === 'page');
  if (!isPage || more.some((other) => !other.isOptional())) return undefined;
  /** The code of each member that identifies something in the page, or is a text. */
  const known = new Map<string, string>();
  const fields = new Map<string, string>();
  const methods = new Map<string, MethodDeclaration>();
  const texts = lineage.map((each) => each.getText()).join('\n');
  const assigned = new Set([...texts.matchAll(/\bthis\.([\w$]+)\s*=[^=]/g)].map(([, name = '']) => name));
  for (const each of lineage) {
    const [maker] = each.getConstructors();
    const [own] = maker?.getParameters() ?? [];
    if (each.getExtends() !== undefined) {
      const [first] = maker?.getStatements() ?? [];
      if (maker !== undefined && first?.getText().replace(/;$/, '') !== `super(${own?.getName() ?? ''})`)
        return undefined;
      // What a superclass that can't be read calls it, by convention; code that did not mean the page would not compile.
      if (each === lineage[0]) known.set('page', 'page');
    }
    if (own?.isParameterProperty() === true) known.set(own.getName(), 'page');
    for (const { name, code, isOpen } of assignmentsOf(each, maker)) {
      const inlined = inline(code, known, own?.getName() ?? 'page');
      fields.delete(name);
      if (inlined === undefined) known.delete(name);
      else known.set(name, inlined);
      if (inlined !== undefined && isOpen && inlined !== 'page') fields.set(name, inlined);
    }
    for (const [name, text] of textsOf(each, assigned)) known.set(name, text);
    for (const method of each.getInstanceMethods()) methods.set(method.getName(), method);
  }
  const used = [...texts.matchAll(/\bthis\.([\w$]+)/g)].map(([, name = '']) => name);
  return {
    subclass: {
      members: [...new Set([...used, ...lineage.flatMap(membersOf)])],
      hasPage: known.get('page') === 'page' && !/\bprivate\s+(?:readonly\s+)?page\b/.test(texts),
    },
    fields: [...fields].map(([name, code]) => ({ name, code })),
    methods: [...methods.values()].flatMap((method) => methodOf(method, known) ?? []),
  };
}

function membersOf(each: ClassDeclaration): string[] {
  const members = [...each.getProperties(), ...each.getMethods(), ...each.getGetAccessors()];
  return members.map((member) => member.getName());
}

/** Properties of a class that are texts and stay as they are. */
function textsOf(each: ClassDeclaration, assigned: ReadonlySet<string>): [string, string][] {
  return each.getProperties().flatMap((property): [string, string][] => {
    const name = property.getName();
    const text = property.getInitializerIfKind(SyntaxKind.StringLiteral)?.getText();
    return text === undefined || assigned.has(name) || property.isStatic() ? [] : [[name, text]];
  });
}

interface Assignment {
  name: string;
  code: string;
  /** Whether a test may use it. */
  isOpen: boolean;
}

/** What properties, the constructor and getters give to the members of a class. */
function assignmentsOf(each: ClassDeclaration, maker: ConstructorDeclaration | undefined): Assignment[] {
  const properties = each.getProperties().filter((property) => !property.isStatic());
  const isClosed = (member: { getText(): string }): boolean =>
    /^(?:private|protected)\b/.test(member.getText());
  const closed = new Set(properties.filter(isClosed).map((property) => property.getName()));
  const isOpen = (name: string): boolean => !closed.has(name) && !/^[#_]/.test(name);
  const assigned = (maker?.getStatements() ?? []).flatMap((statement) => {
    const [, name, code] = /^this\.([\w$]+)\s*=\s*([^]*?);?$/.exec(statement.getText()) ?? [];
    return name === undefined || code === undefined ? [] : [{ name, code, isOpen: isOpen(name) }];
  });
  const initialized = properties.flatMap((property) => {
    const code = property.getInitializer()?.getText();
    const name = property.getName();
    return code === undefined ? [] : [{ name, code, isOpen: isOpen(name) }];
  });
  const gotten = each.getGetAccessors().flatMap((getter) => {
    const code = /^\{\s*return\s+([^]*?);?\s*\}$/.exec(getter.getBody()?.getText() ?? '')?.[1];
    const name = getter.getName();
    return code === undefined || getter.isStatic()
      ? []
      : [{ name, code, isOpen: !isClosed(getter) && isOpen(name) }];
  });
  return [...assigned, ...initialized, ...gotten];
}

/** Code in which the members of the class are replaced by their code; undefined if it needs another class. */
function inline(code: string, known: ReadonlyMap<string, string>, parameter?: string): string | undefined {
  const inlined = code.replace(/\bthis\.([\w$#]+)/g, (whole, name: string) => known.get(name) ?? whole);
  if (inlined.length > maxInlined || /\bthis\b/.test(inlined)) return undefined;
  const own =
    parameter === undefined ? inlined : inlined.replace(new RegExp(`^${parameter}(?=[.\\s]|$)`), 'page');
  return parameter === undefined || own.startsWith('page') ? own : undefined;
}

/** A method that only awaits; undefined for every other. */
function methodOf(method: MethodDeclaration, known: ReadonlyMap<string, string>): OwnMethod | undefined {
  const isClosed = /^(?:private|protected)\b/.test(method.getText()) || /^[#_]/.test(method.getName());
  const parameters = method.getParameters();
  const isPlain = parameters.every(
    (each) => /^\w+$/.test(each.getName()) && !each.isRestParameter() && !each.hasInitializer(),
  );
  if (isClosed || !method.isAsync() || !isPlain) return undefined;
  const statements = method.getStatements().map((statement) => {
    const code = inline(statement.getText(), known);
    return code !== undefined && /^await\s/.test(code)
      ? { code, line: statement.getStartLineNumber() }
      : undefined;
  });
  const whole = statements.filter((each) => each !== undefined);
  if (whole.length === 0 || whole.length < statements.length) return undefined;
  return { name: method.getName(), parameters: parameters.map((each) => each.getName()), statements: whole };
}
