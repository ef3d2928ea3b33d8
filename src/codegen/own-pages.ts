import {
  Node,
  SyntaxKind,
  type ClassDeclaration,
  type ClassExpression,
  type ConstructorDeclaration,
  type GetAccessorDeclaration,
  type SourceFile,
} from 'ts-morph';
import { parse } from './base-spec.js';
import { codeOf, methodOf, type Callable, type OwnFinder, type OwnMethod, type Scope } from './own-code.js';
import { importedNames, type OwnFixture } from './own-fixtures.js';
import { functionsIn, isPage, pageFunctions } from './page-functions.js';

/** A page object that the user wrote. Its code is that of a test in which the page is called `page`. */
export interface OwnPage {
  /** Relative to the workspace, with forward slashes. */
  file: string;
  /** The name of the class, or of the function. */
  className: string;
  isDefault: boolean;
  /** Whether it is a function that returns the page object. */
  isFunction?: boolean;
  /** Whether it is no object, but a function that takes the page and acts: its only method. */
  isHelper?: boolean;
  /** What specs of the project call its module, if they use an alias. */
  alias?: string;
  /** Whether it is all that a module of CommonJS exports. */
  isModule?: boolean;
  /** Locators. */
  fields: { name: string; code: string }[];
  /** Methods that return locators. */
  finders?: OwnFinder[];
  methods: OwnMethod[];
  /** For a class: the names of all its members, and whether a subclass can use `this.page`. */
  subclass?: { members: readonly string[]; hasPage: boolean };
  /** The fixtures that give one to a test. */
  fixtures?: readonly OwnFixture[];
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
  const whole = /^\s*module\.exports\s*=\s*(?:class\s+)?(\w+)/m.exec(text)?.[1];
  const pages: Omit<OwnPage, 'file'>[] = [];
  const functions = functionsIn(source);
  const loadTree = treeLoader(load);
  for (const each of classesIn(source).slice(0, maxClasses)) {
    const className = each.getName();
    const isModule = className !== undefined && className === whole;
    const declared = each.asKind(SyntaxKind.ClassDeclaration);
    const isExported = declared?.isExported() === true;
    if (className === undefined || each.isAbstract() || !(isExported || isModule || exported.has(className)))
      continue;
    const parts = partsOf(await lineageOf(each, file, loadTree), functions);
    if (parts === undefined) continue;
    const isDefault = isModule || declared?.isDefaultExport() === true;
    pages.push({ className, isDefault, ...(isModule && { isModule }), ...parts });
  }
  return { pages: [...pages, ...pageFunctions(source, exported)].map((page) => ({ file, ...page })) };
}

type PageClass = ClassDeclaration | ClassExpression;

/** The classes of a module, also those that it assigns to an export. */
function classesIn(source: SourceFile): PageClass[] {
  const assigned = source.getStatements().flatMap((statement) => {
    const assignment = statement.asKind(SyntaxKind.ExpressionStatement)?.getExpression();
    const made = assignment?.asKind(SyntaxKind.BinaryExpression)?.getRight();
    return made?.asKind(SyntaxKind.ClassExpression) ?? [];
  });
  return [...source.getClasses(), ...assigned];
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
async function lineageOf(own: PageClass, file: string, load: LoadTree): Promise<PageClass[]> {
  const lineage: PageClass[] = [own];
  let place = file;
  for (let each: PageClass = own; lineage.length <= maxSuperclasses;) {
    const name = each.getExtends()?.getExpression().getText();
    if (name === undefined) break;
    const source = each.getSourceFile();
    const imported = importedNames(source).get(name);
    const module = imported && (await load(imported.from, place));
    const isNamed = (other: PageClass): boolean =>
      imported?.name === 'default'
        ? other.asKind(SyntaxKind.ClassDeclaration)?.isDefaultExport() === true
        : other.getName() === imported?.name;
    const others = module === undefined ? [] : classesIn(module.tree);
    const base = imported === undefined ? source.getClass(name) : others.find(isNamed);
    if (base === undefined) break;
    place = module?.file ?? place;
    lineage.unshift(base);
    each = base;
  }
  return lineage;
}

function partsOf(
  lineage: readonly PageClass[],
  functions: Scope['functions'],
): Pick<OwnPage, 'fields' | 'finders' | 'methods' | 'subclass'> | undefined {
  if (lineage.some((each) => each.getConstructors().length > 1)) return undefined;
  const makers = lineage.flatMap((each) => each.getConstructors());
  const [parameter, ...more] = makers.at(-1)?.getParameters() ?? [];
  if (parameter === undefined || !isPage(parameter) || more.some((other) => !other.isOptional()))
    return undefined;
  /** The code of each member that identifies something in the page, or is a text. */
  const members = new Map<string, string>();
  const methods = new Map<string, Callable>();
  const scope: Scope = { names: new Map(), members, methods, functions };
  const fields = new Map<string, string>();
  const texts = lineage.map((each) => each.getText()).join('\n');
  const assigned = new Set([...texts.matchAll(/\bthis\.([\w$]+)\s*=[^=]/g)].map(([, name = '']) => name));
  for (const each of lineage) {
    const [maker] = each.getConstructors();
    const [own] = maker?.getParameters() ?? [];
    const names = new Map(own === undefined ? [] : [[own.getName(), 'page']]);
    if (each.getExtends() !== undefined) {
      const [first] = maker?.getStatements() ?? [];
      if (maker !== undefined && first?.getText().replace(/;$/, '') !== `super(${own?.getName() ?? ''})`)
        return undefined;
      // What a superclass that can't be read calls it, by convention; code that did not mean the page would not compile.
      if (each === lineage[0]) members.set('page', 'page');
    }
    if (own?.isParameterProperty() === true) members.set(own.getName(), 'page');
    for (const [name, made] of callablesOf(each)) methods.set(name, made);
    for (const { name, value, isOpen } of assignmentsOf(each, maker, names, scope)) {
      const code = codeOf(value, { ...scope, names });
      fields.delete(name);
      if (code?.startsWith('page') === true) members.set(name, code);
      else members.delete(name);
      if (code?.startsWith('page.') === true && isOpen) fields.set(name, code);
    }
    for (const [name, text] of textsOf(each, assigned)) members.set(name, text);
  }
  const used = [...texts.matchAll(/\bthis\.([\w$]+)/g)].map(([, name = '']) => name);
  const open = [...methods].filter(([name, made]) => isOpen(name, made));
  const parts = open.map(([name, made]) => methodOf(name, made, scope));
  const finders = parts.flatMap(({ finder }) => finder ?? []);
  return {
    subclass: {
      members: [...new Set([...used, ...lineage.flatMap(membersOf)])],
      hasPage: members.get('page') === 'page' && !/\bprivate\s+(?:readonly\s+)?page\b/.test(texts),
    },
    fields: [...fields].map(([name, code]) => ({ name, code })),
    ...(finders.length > 0 && { finders }),
    methods: parts.flatMap(({ method }) => method ?? []),
  };
}

function membersOf(each: PageClass): string[] {
  const members = [...each.getProperties(), ...each.getMethods(), ...each.getGetAccessors()];
  return members.map((member) => member.getName());
}

/** The methods of a class, also those that are properties. */
function callablesOf(each: PageClass): [string, Callable][] {
  const properties = each.getInstanceProperties().flatMap((property): [string, Callable][] => {
    const made = property
      .asKind(SyntaxKind.PropertyDeclaration)
      ?.getInitializerIfKind(SyntaxKind.ArrowFunction);
    return made === undefined ? [] : [[property.getName(), made]];
  });
  return [
    ...properties,
    ...each.getInstanceMethods().map((method): [string, Callable] => [method.getName(), method]),
  ];
}

/** Properties of a class that are texts and stay as they are. */
function textsOf(each: PageClass, assigned: ReadonlySet<string>): [string, string][] {
  return each.getProperties().flatMap((property): [string, string][] => {
    const name = property.getName();
    const text = property.getInitializerIfKind(SyntaxKind.StringLiteral)?.getText();
    return text === undefined || assigned.has(name) || property.isStatic() ? [] : [[name, text]];
  });
}

interface Assignment {
  name: string;
  value: Node;
  /** Whether a test may use it. */
  isOpen: boolean;
}

/** What properties, the constructor and getters give to the members of a class. The constructor's constants are added to `names`. */
function assignmentsOf(
  each: PageClass,
  maker: ConstructorDeclaration | undefined,
  names: Map<string, string>,
  scope: Scope,
): Assignment[] {
  const properties = each.getProperties().filter((property) => !property.isStatic());
  const closed = new Set(properties.filter(isClosed).map((property) => property.getName()));
  const isOpenField = (name: string): boolean => !closed.has(name) && !/^[#_]/.test(name);
  const assigned: Assignment[] = [];
  for (const statement of maker?.getStatements() ?? []) {
    for (const constant of statement.asKind(SyntaxKind.VariableStatement)?.getDeclarations() ?? []) {
      const value = constant.getInitializer();
      const code = value && codeOf(value, { ...scope, names });
      if (code?.startsWith('page') === true) names.set(constant.getName(), code);
    }
    const expression = statement.asKind(SyntaxKind.ExpressionStatement)?.getExpression();
    const assignment = expression?.asKind(SyntaxKind.BinaryExpression);
    const target = assignment?.getLeft().asKind(SyntaxKind.PropertyAccessExpression);
    if (assignment === undefined || target === undefined) continue;
    if (!Node.isThisExpression(target.getExpression())) continue;
    const name = target.getName();
    assigned.push({ name, value: assignment.getRight(), isOpen: isOpenField(name) });
  }
  const initialized = properties.flatMap((property) => {
    const value = property.getInitializer();
    const name = property.getName();
    return value === undefined ? [] : [{ name, value, isOpen: isOpenField(name) }];
  });
  const gotten = each.getGetAccessors().flatMap((getter) => {
    const [only, ...others] = getter.getStatements();
    const value = only?.asKind(SyntaxKind.ReturnStatement)?.getExpression();
    const name = getter.getName();
    return value === undefined || others.length > 0 || getter.isStatic()
      ? []
      : [{ name, value, isOpen: isOpen(name, getter) && isOpenField(name) }];
  });
  return [...assigned, ...initialized, ...gotten];
}

function isClosed(member: { getText(): string }): boolean {
  return /^(?:private|protected)\b/.test(member.getText());
}

/** Whether a test may use a member of that name. */
function isOpen(name: string, member: Callable | GetAccessorDeclaration): boolean {
  const property = member.asKind(SyntaxKind.ArrowFunction)?.getParent();
  return !isClosed(member) && (property === undefined || !isClosed(property)) && !/^[#_]/.test(name);
}
