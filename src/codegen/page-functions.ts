import {
  Node,
  SyntaxKind,
  type ArrowFunction,
  type FunctionDeclaration,
  type FunctionExpression,
  type MethodDeclaration,
  type ObjectLiteralExpression,
  type SourceFile,
} from 'ts-morph';
import type { OwnMethod, OwnPage } from './own-pages.js';

/** Characters of the code of a member or statement: members that name each other repeatedly double it each time. */
export const maxInlined = 2000;

type PageFunction = FunctionDeclaration | FunctionExpression | ArrowFunction;

/** Names that a function has declared, with their code in a test. */
type Known = ReadonlyMap<string, string>;

/** The functions of a file that take the page and return an object with locators and methods. */
export function pageFunctions(source: SourceFile, exported: ReadonlySet<string>): Omit<OwnPage, 'file'>[] {
  const constants = source.getVariableStatements().flatMap((statement) =>
    statement.getDeclarations().flatMap((each) => {
      const made =
        each.getInitializerIfKind(SyntaxKind.ArrowFunction) ??
        each.getInitializerIfKind(SyntaxKind.FunctionExpression);
      const isOpen = statement.isExported();
      return made === undefined ? [] : [{ name: each.getName(), made, isOpen, isDefault: false }];
    }),
  );
  const functions = source.getFunctions().map((made) => ({
    name: made.getName() ?? '',
    made,
    isOpen: made.isExported(),
    isDefault: made.isDefaultExport(),
  }));
  return [...functions, ...constants].flatMap(({ name, made, isOpen, isDefault }) => {
    const parts = name !== '' && (isOpen || exported.has(name)) ? partsOf(made) : undefined;
    return parts === undefined ? [] : [{ className: name, isDefault, isFunction: true, ...parts }];
  });
}

function partsOf(made: PageFunction): Pick<OwnPage, 'fields' | 'methods'> | undefined {
  const [parameter, ...more] = made.getParameters();
  const type = parameter?.getTypeNode()?.getText() ?? '';
  const isPage = type === 'Page' || (type === '' && parameter?.getName() === 'page');
  if (parameter === undefined || !isPage || made.isAsync() || more.some((other) => !other.isOptional()))
    return undefined;
  const known = new Map([[parameter.getName(), 'page']]);
  const object = returnedBy(made, known);
  if (object === undefined) return undefined;
  const fields: OwnPage['fields'] = [];
  const methods: OwnMethod[] = [];
  const members = new Map<string, string>();
  for (const member of object.getProperties()) {
    const assignment = member.asKind(SyntaxKind.PropertyAssignment);
    const method = member.asKind(SyntaxKind.MethodDeclaration);
    const named = assignment ?? method ?? member.asKind(SyntaxKind.ShorthandPropertyAssignment);
    if (named === undefined) continue;
    const name = named.getName();
    const body =
      method ??
      assignment?.getInitializerIfKind(SyntaxKind.ArrowFunction) ??
      assignment?.getInitializerIfKind(SyntaxKind.FunctionExpression);
    if (body !== undefined) {
      methods.push(...methodOf(name, body, { known, members }));
      continue;
    }
    const value = assignment?.getInitializer();
    const code = value === undefined ? known.get(name) : inline(value, known);
    if (code?.startsWith('page.') !== true) continue;
    members.set(name, code);
    fields.push({ name, code });
  }
  return fields.length + methods.length === 0 ? undefined : { fields, methods };
}

/** The object that a function returns, if before that it only declares constants, which are added to what is known. */
function returnedBy(made: PageFunction, known: Map<string, string>): ObjectLiteralExpression | undefined {
  const body = made.getBody();
  const statements = body?.asKind(SyntaxKind.Block)?.getStatements();
  if (statements === undefined) return objectIn(body);
  const last = statements.pop();
  for (const statement of statements) {
    const declarations = statement.asKind(SyntaxKind.VariableStatement)?.getDeclarations();
    if (declarations === undefined) return undefined;
    for (const each of declarations) {
      const value = each.getInitializer();
      const code = value && inline(value, known);
      if (code?.startsWith('page.') === true) known.set(each.getName(), code);
    }
  }
  return objectIn(last?.asKind(SyntaxKind.ReturnStatement)?.getExpression());
}

function objectIn(node: Node | undefined): ObjectLiteralExpression | undefined {
  const inner = node?.asKind(SyntaxKind.ParenthesizedExpression)?.getExpression() ?? node;
  return inner?.asKind(SyntaxKind.ObjectLiteralExpression);
}

/** A method that only awaits; none for every other. */
function methodOf(
  name: string,
  body: MethodDeclaration | ArrowFunction | FunctionExpression,
  { known, members }: { known: Known; members: Known },
): OwnMethod[] {
  const parameters = body.getParameters();
  const isPlain = parameters.every(
    (each) =>
      /^\w+$/.test(each.getName()) &&
      !each.isRestParameter() &&
      !each.hasInitializer() &&
      !known.has(each.getName()),
  );
  if (!body.isAsync() || !isPlain || !/^[a-z][\w$]*$/i.test(name)) return [];
  const statements = body.getBody()?.asKind(SyntaxKind.Block)?.forEachChildAsArray() ?? [];
  const inlined = statements.map((statement) => {
    const code = inline(statement, known)?.replace(
      /\bthis\.([\w$]+)/g,
      (whole, member: string) => members.get(member) ?? whole,
    );
    return code === undefined || !/^await\s/.test(code) || /\bthis\b/.test(code)
      ? undefined
      : { code, line: statement.getStartLineNumber() };
  });
  const whole = inlined.filter((each) => each !== undefined);
  if (whole.length === 0 || whole.length < inlined.length) return [];
  return [{ name, parameters: parameters.map((each) => each.getName()), statements: whole }];
}

/** Code in which known names are replaced by their code; undefined if it declares names or abbreviates with them. */
function inline(node: Node, known: Known): string | undefined {
  let code = node.getText();
  const start = node.getStart();
  const identifiers = node.getDescendantsOfKind(SyntaxKind.Identifier);
  for (const each of [
    ...[node.asKind(SyntaxKind.Identifier)].flatMap((own) => own ?? []),
    ...identifiers,
  ].reverse()) {
    const value = known.get(each.getText());
    const parent = each.getParent();
    const isMember = Node.isPropertyAccessExpression(parent) && parent.getNameNode() === each;
    const isKey = Node.isPropertyAssignment(parent) && parent.getNameNode() === each;
    if (value === undefined || isMember || isKey) continue;
    const declares = Node.isParameterDeclaration(parent) || Node.isVariableDeclaration(parent);
    if (Node.isShorthandPropertyAssignment(parent) || (declares && parent.getNameNode() === each))
      return undefined;
    code = code.slice(0, each.getStart() - start) + value + code.slice(each.getEnd() - start);
    if (code.length > maxInlined) return undefined;
  }
  return code;
}
