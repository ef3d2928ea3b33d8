import {
  SyntaxKind,
  type Node,
  type ArrowFunction,
  type FunctionDeclaration,
  type FunctionExpression,
  type ObjectLiteralExpression,
  type ParameterDeclaration,
  type SourceFile,
} from 'ts-morph';
import { codeOf, methodOf, type Callable, type OwnFinder, type Scope } from './own-code.js';
import type { OwnPage } from './own-pages.js';

type PageFunction = FunctionDeclaration | FunctionExpression | ArrowFunction;

/** Whether a parameter is the page of a test. */
export function isPage(parameter: ParameterDeclaration | undefined): boolean {
  const type = parameter?.getTypeNode()?.getText() ?? '';
  return type === 'Page' || (type === '' && parameter?.getName() === 'page');
}

/** The functions of a module, by their names. */
export function functionsIn(source: SourceFile | undefined): Map<string, PageFunction> {
  const declared = source?.getFunctions().map((made) => [made.getName() ?? '', made] as const) ?? [];
  const constants = source?.getVariableDeclarations().flatMap((each) => {
    const made = functionFrom(each.getInitializer());
    return made === undefined ? [] : [[each.getName(), made] as const];
  });
  return new Map<string, PageFunction>([...declared, ...(constants ?? [])]);
}

function functionFrom(value: Node | undefined): ArrowFunction | FunctionExpression | undefined {
  return value?.asKind(SyntaxKind.ArrowFunction) ?? value?.asKind(SyntaxKind.FunctionExpression);
}

/**
 * The functions of a file that take the page: those that return an object with locators and methods, and those that act,
 * with what they take besides.
 */
export function pageFunctions(source: SourceFile, exported: ReadonlySet<string>): Omit<OwnPage, 'file'>[] {
  const functions = functionsIn(source);
  return [...functions].flatMap(([className, made]): Omit<OwnPage, 'file'>[] => {
    const declared =
      made.asKind(SyntaxKind.FunctionDeclaration) ?? made.getParentIfKind(SyntaxKind.VariableDeclaration);
    const isOpen = declared?.isExported() === true || exported.has(className);
    const [parameter] = made.getParameters();
    if (className === '' || !isOpen || parameter === undefined || !isPage(parameter)) return [];
    const names = new Map([[parameter.getName(), 'page']]);
    const scope: Scope = { names, members: new Map(), methods: new Map(), functions };
    const page = { className, isDefault: declared?.isDefaultExport() === true, isFunction: true };
    const { method } = methodOf(className, made, scope, 1);
    if (method !== undefined) return [{ ...page, isHelper: true, fields: [], methods: [method] }];
    const parts = partsOf(made, scope, names);
    return parts === undefined ? [] : [{ ...page, ...parts }];
  });
}

/** The members of the object that a function returns, whose constants are added to `names`. */
function partsOf(
  made: PageFunction,
  given: Scope,
  names: Map<string, string>,
): Pick<OwnPage, 'fields' | 'finders' | 'methods'> | undefined {
  const [, ...more] = made.getParameters();
  if (made.isAsync() || more.some((other) => !other.isOptional())) return undefined;
  const object = returnedBy(made, given, names);
  if (object === undefined) return undefined;
  const fields: OwnPage['fields'] = [];
  const members = new Map<string, string>();
  const methods = new Map<string, Callable>();
  for (const member of object.getProperties()) {
    const assignment = member.asKind(SyntaxKind.PropertyAssignment);
    const method = member.asKind(SyntaxKind.MethodDeclaration);
    const named = assignment ?? method ?? member.asKind(SyntaxKind.ShorthandPropertyAssignment);
    if (named === undefined) continue;
    const name = named.getName();
    const value = assignment?.getInitializer();
    const body = method ?? functionFrom(value);
    if (body !== undefined) methods.set(name, body);
    const code = body === undefined && (value === undefined ? names.get(name) : codeOf(value, given));
    if (code === false || code?.startsWith('page.') !== true) continue;
    members.set(name, code);
    fields.push({ name, code });
  }
  const scope = { ...given, members, methods };
  const parts = [...methods].map(([name, body]) => methodOf(name, body, scope));
  const finders: OwnFinder[] = parts.flatMap(({ finder }) => finder ?? []);
  const found = parts.flatMap(({ method }) => method ?? []);
  if (fields.length + found.length + finders.length === 0) return undefined;
  return { fields, ...(finders.length > 0 && { finders }), methods: found };
}

/** The object that a function returns, if before that it only declares constants, which are added to `names`. */
function returnedBy(
  made: PageFunction,
  scope: Scope,
  names: Map<string, string>,
): ObjectLiteralExpression | undefined {
  const body = made.getBody();
  const statements = body?.asKind(SyntaxKind.Block)?.getStatements();
  if (statements === undefined) return objectIn(body);
  const last = statements.pop();
  for (const statement of statements) {
    const declarations = statement.asKind(SyntaxKind.VariableStatement)?.getDeclarations();
    if (declarations === undefined) return undefined;
    for (const each of declarations) {
      const value = each.getInitializer();
      const code = value && codeOf(value, scope);
      if (code?.startsWith('page.') === true) names.set(each.getName(), code);
    }
  }
  return objectIn(last?.asKind(SyntaxKind.ReturnStatement)?.getExpression());
}

function objectIn(node: Node | undefined): ObjectLiteralExpression | undefined {
  const inner = node?.asKind(SyntaxKind.ParenthesizedExpression)?.getExpression() ?? node;
  return inner?.asKind(SyntaxKind.ObjectLiteralExpression);
}
