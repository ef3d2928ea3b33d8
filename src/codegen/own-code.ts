import {
  Node,
  SyntaxKind,
  type ArrowFunction,
  type FunctionDeclaration,
  type FunctionExpression,
  type MethodDeclaration,
  type ParameterDeclaration,
  type Statement,
} from 'ts-morph';
import { z } from 'zod';
import type { Json } from '../model/json.js';
import { treeOf } from './unify.js';

export type Callable = MethodDeclaration | ArrowFunction | FunctionExpression | FunctionDeclaration;

/** What the code of a page object can name. */
export interface Scope {
  /** The code of variables and parameters, in a test whose page is called `page`. */
  names: ReadonlyMap<string, string>;
  /** The code of the members of `this`. */
  members: ReadonlyMap<string, string>;
  /** The methods of `this`. */
  methods: ReadonlyMap<string, Callable>;
  /** The functions of the module. */
  functions: ReadonlyMap<string, Callable>;
}

/** A method of a page object, or a function that takes the page. */
export interface OwnMethod {
  name: string;
  parameters: string[];
  /** The values of parameters that may be left out. */
  defaults?: Readonly<Record<string, Json>>;
  /** The parameters that are numbers. */
  numbers?: readonly string[];
  /** Its statements, with those of the methods that it calls, and the lines in which they begin. */
  statements: { code: string; line: number }[];
}

/** A method that returns a locator. */
export type OwnFinder = Omit<OwnMethod, 'statements'> & { code: string };

/** Characters of the code of a member or statement: members that name each other repeatedly double it each time. */
const maxInlined = 2000;
/** Maximum depth of calls. */
const maxCalls = 5;

/** The code of a node in a test; undefined if it needs what a test does not have. */
export function codeOf(node: Node, scope: Scope, depth = 0): string | undefined {
  if (Node.isThisExpression(node) || Node.isSuperExpression(node) || depth > maxCalls) return undefined;
  if (Node.isIdentifier(node)) return scope.names.get(node.getText()) ?? node.getText();
  if (Node.isShorthandPropertyAssignment(node)) {
    const code = scope.names.get(node.getName());
    return code === undefined ? node.getText() : `${node.getName()}: ${code}`;
  }
  const declares =
    Node.isParameterDeclaration(node) || Node.isVariableDeclaration(node) || Node.isBindingElement(node);
  if (declares && scope.names.has(node.getName())) return undefined;
  if (Node.isPropertyAccessExpression(node) && Node.isThisExpression(node.getExpression()))
    return scope.members.get(node.getName());
  if (node.asKind(SyntaxKind.CallExpression) !== undefined) {
    const made = scope.methods.get(methodOfThis(node) ?? '');
    if (made !== undefined) {
      const inner = innerScope(made, argumentsOf(node, scope, depth), scope);
      const value = returnedBy(made);
      return inner && value && !made.isAsync() ? codeOf(value, inner, depth + 1) : undefined;
    }
  }
  const verbatim =
    Node.isPropertyAccessExpression(node) || Node.isPropertyAssignment(node) ? node.getNameNode() : undefined;
  let code = '';
  let at = node.getStart();
  for (const child of node.forEachChildAsArray()) {
    const inner = child === verbatim ? child.getText() : codeOf(child, scope, depth);
    if (inner === undefined) return undefined;
    code += node.getSourceFile().getFullText().slice(at, child.getStart()) + inner;
    at = child.getEnd();
    if (code.length > maxInlined) return undefined;
  }
  return code + node.getSourceFile().getFullText().slice(at, node.getEnd());
}

/** The method of `this` that a call calls. */
function methodOfThis(node: Node): string | undefined {
  const call = node.asKind(SyntaxKind.CallExpression);
  const callee = call?.getExpression().asKind(SyntaxKind.PropertyAccessExpression);
  const isOwn = callee?.getExpression().asKind(SyntaxKind.ThisKeyword) !== undefined;
  return isOwn ? callee.getName() : undefined;
}

function argumentsOf(call: Node, scope: Scope, depth: number): (string | undefined)[] {
  return Node.isCallExpression(call) ? call.getArguments().map((each) => codeOf(each, scope, depth)) : [];
}

/** The scope in a callable that is called with arguments; undefined if they are not plain. */
function innerScope(made: Callable, args: readonly (string | undefined)[], scope: Scope): Scope | undefined {
  const names = new Map(scope.names);
  for (const [index, parameter] of made.getParameters().entries()) {
    const code = index < args.length ? args[index] : parameter.getInitializer()?.getText();
    if (code === undefined || !isPlain(parameter)) return undefined;
    names.set(parameter.getName(), code);
  }
  return { ...scope, names };
}

function isPlain(parameter: ParameterDeclaration): boolean {
  return /^\w+$/.test(parameter.getName()) && !parameter.isRestParameter();
}

/** The only thing that a callable does: it returns this. */
function returnedBy(made: Callable): Node | undefined {
  const body = made.getBody();
  if (!Node.isBlock(body)) return body;
  const [only, ...others] = body.getStatements();
  return others.length === 0 ? only?.asKind(SyntaxKind.ReturnStatement)?.getExpression() : undefined;
}

/** A callable as the method of a page object, called with what follows its first parameters; undefined if it does more than await. */
export function methodOf(
  name: string,
  made: Callable,
  scope: Scope,
  first = 0,
): { method?: OwnMethod; finder?: OwnFinder } {
  const parameters = made.getParameters().slice(first);
  const names = parameters.map((each) => each.getName());
  if (!/^[a-z][\w$]*$/i.test(name) || names.includes('page') || !parameters.every(isPlain)) return {};
  const own = new Map([...scope.names].filter(([each]) => !names.includes(each)));
  const literals = parameters.map((each) => [each.getName(), literalOf(each)] as const);
  if (parameters.some((each, index) => each.hasInitializer() && literals[index]?.[1] === undefined))
    return {};
  const defaults = literals.flatMap(([each, value]) => (value === undefined ? [] : [[each, value] as const]));
  const numbers = parameters
    .filter((each) => each.getTypeNode()?.getText() === 'number')
    .map((each) => each.getName());
  const shape = {
    name,
    parameters: names,
    ...(defaults.length > 0 && { defaults: Object.fromEntries(defaults) }),
    ...(numbers.length > 0 && { numbers }),
  };
  const value = made.isAsync() ? undefined : returnedBy(made);
  const code = value && codeOf(value, { ...scope, names: own });
  if (code !== undefined && isLocator(code)) return { finder: { ...shape, code } };
  const statements = statementsOf(made, { ...scope, names: own }, 0);
  const isWhole = statements !== undefined && statements.length > 0;
  return isWhole && !statements.some(isQuestion) ? { method: { ...shape, statements } } : {};
}

function literalOf(parameter: ParameterDeclaration): Json | undefined {
  const given = parameter.getInitializer();
  if (Node.isStringLiteral(given) || Node.isNumericLiteral(given)) return given.getLiteralValue();
  if (Node.isTrueLiteral(given) || Node.isFalseLiteral(given)) return given.getLiteralValue();
  return undefined;
}

/** Methods that return a locator. */
const locatorMethods = /^(?:getBy\w+|locator|filter|nth|first|last|and|or|frameLocator|contentFrame)$/;
const callSchema = z.tuple([
  z.object({ expression: z.object({ callee: z.object({ property: z.object({ name: z.string() }) }) }) }),
]);

/** The method that an expression calls last. */
function calledLast(code: string): string {
  return callSchema.safeParse(treeOf(code)).data?.[0].expression.callee.property.name ?? '';
}

/** Whether code is a locator of the page. */
function isLocator(code: string): boolean {
  return code.startsWith('page') && locatorMethods.test(calledLast(code));
}

/** Whether a statement only asks, as a getter does. */
function isQuestion({ code }: { code: string }): boolean {
  const method = calledLast(code.replace(/^await /, ''));
  return method === 'url' || locatorMethods.test(method);
}

type Lines = OwnMethod['statements'];

/** What a callable awaits, with what the methods await that it calls; undefined if it does anything else. */
function statementsOf(made: Callable, scope: Scope, depth: number): Lines | undefined {
  const body = made.getBody();
  if (depth > maxCalls || body === undefined) return undefined;
  if (!Node.isBlock(body)) return awaited(body, scope, depth);
  const names = new Map(scope.names);
  const inner = { ...scope, names };
  const found: Lines = [];
  for (const [index, statement] of body.getStatements().entries()) {
    const isLast = index === body.getStatements().length - 1;
    const lines = linesOf(statement, { inner, names, isLast, depth });
    if (lines === undefined) return undefined;
    found.push(...lines);
  }
  return found;
}

interface Place {
  inner: Scope;
  /** The names of `inner`, to which declared ones are added. */
  names: Map<string, string>;
  isLast: boolean;
  depth: number;
}

function linesOf(statement: Statement, { inner, names, isLast, depth }: Place): Lines | undefined {
  const declarations = statement.asKind(SyntaxKind.VariableStatement)?.getDeclarations();
  if (declarations !== undefined) {
    for (const each of declarations) {
      const value = each.getInitializer();
      const code = value && !/\bawait\b/.test(value.getText()) ? codeOf(value, inner) : undefined;
      if (code === undefined || !/^\w+$/.test(each.getName())) return undefined;
      names.set(each.getName(), code);
    }
    return [];
  }
  const returned = isLast ? statement.asKind(SyntaxKind.ReturnStatement) : undefined;
  if (returned !== undefined) {
    const value: Node | undefined = returned.getExpression();
    const isNothing = value === undefined || Node.isThisExpression(value) || Node.isNewExpression(value);
    return isNothing ? [] : awaited(value, inner, depth);
  }
  const expression = statement.asKind(SyntaxKind.ExpressionStatement)?.getExpression();
  return expression?.asKind(SyntaxKind.AwaitExpression) && awaited(expression, inner, depth);
}

/** What awaiting an expression does: what the method does that it calls, or the statement itself. */
function awaited(node: Node, scope: Scope, depth: number): Lines | undefined {
  const value = node.asKind(SyntaxKind.AwaitExpression)?.getExpression() ?? node;
  const call = value.asKind(SyntaxKind.CallExpression);
  if (call === undefined) return undefined;
  const callee = call.getExpression();
  const last = call.getArguments().at(-1)?.asKind(SyntaxKind.ArrowFunction);
  const isStep = callee.asKind(SyntaxKind.PropertyAccessExpression)?.getName() === 'step';
  if (isStep && last !== undefined) return statementsOf(last, scope, depth + 1);
  const own = scope.methods.get(methodOfThis(value) ?? '');
  const made = own ?? scope.functions.get(callee.asKind(SyntaxKind.Identifier)?.getText() ?? '');
  if (made !== undefined) {
    const args = argumentsOf(value, scope, depth);
    // What a function of the module does not get, it does not know.
    const outer = own === undefined ? { ...scope, names: new Map<string, string>() } : scope;
    const inner = innerScope(made, args, outer);
    return inner && statementsOf(made, inner, depth + 1);
  }
  const code = codeOf(value, scope);
  return code === undefined ? undefined : [{ code: `await ${code};`, line: node.getStartLineNumber() }];
}
