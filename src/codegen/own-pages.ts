import type { ClassDeclaration, ConstructorDeclaration, MethodDeclaration } from 'ts-morph';
import { parse } from './base-spec.js';
import type { OwnFixture } from './own-fixtures.js';
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
  /** The fixtures that give one to a test. */
  fixtures?: readonly OwnFixture[];
}

export interface OwnMethod {
  name: string;
  parameters: string[];
  /** Its statements, and the lines in which they begin. */
  statements: { code: string; line: number }[];
}

/**
 * The page objects in a file: exported classes whose constructor takes the page and nothing else, and functions that
 * take the page and return an object. `problem` says why a file that may have some can't be read.
 */
export function readOwnPages(file: string, text: string): { pages: OwnPage[]; problem?: string } {
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
  const classes = source.getClasses().flatMap((each): Omit<OwnPage, 'file'>[] => {
    const className = each.getName();
    const isDefault = each.isDefaultExport();
    if (className === undefined || !(each.isExported() || exported.has(className))) return [];
    const parts = partsOf(each);
    return parts === undefined ? [] : [{ className, isDefault, ...parts }];
  });
  return { pages: [...classes, ...pageFunctions(source, exported)].map((page) => ({ file, ...page })) };
}

function partsOf(each: ClassDeclaration): Pick<OwnPage, 'fields' | 'methods'> | undefined {
  const [maker, ...others] = each.getConstructors();
  const [parameter, ...more] = maker?.getParameters() ?? [];
  if (maker === undefined || parameter === undefined || others.length > 0) return undefined;
  const type = parameter.getTypeNode()?.getText() ?? '';
  const isPage = type === 'Page' || (type === '' && parameter.getName() === 'page');
  if (!isPage || more.some((other) => !other.isOptional())) return undefined;
  /** The code of each member that identifies something in the page. */
  const known = new Map<string, string>();
  if (parameter.isParameterProperty()) known.set(parameter.getName(), 'page');
  if (each.getExtends() !== undefined) {
    if (!new RegExp(`^super\\(${parameter.getName()}\\);?$`).test(maker.getStatements()[0]?.getText() ?? ''))
      return undefined;
    // What the superclass calls it, by convention; code that did not mean the page would not compile.
    known.set('page', 'page');
  }
  const fields: OwnPage['fields'] = [];
  for (const { name, code, isOpen } of assignmentsOf(each, maker)) {
    const inlined = inline(code, known, parameter.getName());
    if (inlined === undefined) continue;
    known.set(name, inlined);
    if (isOpen && inlined !== 'page') fields.push({ name, code: inlined });
  }
  const methods = each.getInstanceMethods().flatMap((method) => methodOf(method, known) ?? []);
  return { fields, methods };
}

interface Assignment {
  name: string;
  code: string;
  /** Whether a test may use it. */
  isOpen: boolean;
}

/** What properties, the constructor and getters give to the members of a class. */
function assignmentsOf(each: ClassDeclaration, maker: ConstructorDeclaration): Assignment[] {
  const properties = each.getProperties().filter((property) => !property.isStatic());
  const isClosed = (member: { getText(): string }): boolean =>
    /^(?:private|protected)\b/.test(member.getText());
  const closed = new Set(properties.filter(isClosed).map((property) => property.getName()));
  const isOpen = (name: string): boolean => !closed.has(name) && !/^[#_]/.test(name);
  const assigned = maker.getStatements().flatMap((statement) => {
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
