import path from 'node:path';
import {
  Node,
  Project,
  SyntaxKind,
  type ArrowFunction,
  type Block,
  type CallExpression,
  type ExpressionStatement,
  type FunctionExpression,
  type Identifier,
  type SourceFile,
  type Statement,
} from 'ts-morph';
import { CodegenError } from '../model/errors.js';

/** A spec that a person wrote, with the place in it where a session continues. */
export interface BaseSpec {
  /** Relative to the workspace, with forward slashes. */
  file: string;
  text: string;
  /** The steps come after this line; at the end of the only test by default. */
  line?: number | undefined;
  /** `seed`: the steps go to a test of their own that begins as this one. `spec`: they go into this one. */
  kind: 'seed' | 'spec';
}

/** How a spec is formatted, as Prettier's options. */
interface Format {
  singleQuote: boolean;
  semi: boolean;
  useTabs: boolean;
  tabWidth: number;
}

type TestFunction = ArrowFunction | FunctionExpression;

/** A test of a spec, and the place in it. */
export interface Place {
  source: SourceFile;
  call: CallExpression;
  body: TestFunction;
  /** The innermost block of the place. */
  block: Block;
  /** The name of the test function. */
  test: string;
  /** Offset after which new statements go. */
  offset: number;
}

/** Title, line and place in a spec for messages. Throws INVALID_INPUT if a session can't continue there. */
export function describePlace(base: BaseSpec): { title: string; place: string } {
  const { call, source } = findPlace(base);
  const [title] = call.getArguments();
  const text =
    Node.isStringLiteral(title) || Node.isNoSubstitutionTemplateLiteral(title) ? title.getLiteralText() : '';
  const { line } = base;
  const after = line === undefined || line <= call.getStartLineNumber() ? 'The end' : `Line ${line}`;
  return {
    title: text || path.posix.basename(base.file),
    place: `${after} of the test in ${base.file}:${source.getLineAndColumnAtPos(call.getStart()).line}`,
  };
}

/** Names that code in a base spec must not declare again. */
export function identifiersIn({ text, file }: Pick<BaseSpec, 'text' | 'file'>): string[] {
  const names = parse(text, file)
    .getDescendantsOfKind(SyntaxKind.Identifier)
    .filter((node) => !Node.isPropertyAccessExpression(node.getParent()) || isObject(node))
    .map((node) => node.getText());
  return [...new Set(names)];
}

function isObject(node: Identifier): boolean {
  const parent = node.getParent();
  return Node.isPropertyAccessExpression(parent) && parent.getExpression() === node;
}

/** The variables of a base spec's test at its place: those of its fixtures, and of objects that it or a hook makes of the page. */
export function objectsIn(base: BaseSpec): {
  fixtures: Set<string>;
  made: Map<string, string>;
  /** What the spec imports. */
  imported: Set<string>;
  test: string;
} {
  const { source, call, body, block, offset, test } = findPlace(base);
  const [parameter] = body.getParameters();
  const pattern = parameter?.getNameNode().asKind(SyntaxKind.ObjectBindingPattern);
  const around = new Set<unknown>([block, ...block.getAncestors()]);
  const isBefore = (node: Node): boolean =>
    node.getEnd() <= offset && around.has(node.getFirstAncestorByKind(SyntaxKind.Block));
  const declared = body.getDescendantsOfKind(SyntaxKind.VariableDeclaration).filter(isBefore);
  const assigned = source.getDescendantsOfKind(SyntaxKind.BinaryExpression).filter((each) => {
    const hook = each.getFirstAncestorByKind(SyntaxKind.CallExpression);
    const isOfTest =
      hook !== undefined && call.getAncestors().includes(hook.getParentOrThrow().getParentOrThrow());
    return isBefore(each) || (isOfTest && hook.getExpression().getText().endsWith('.beforeEach'));
  });
  const made = [
    ...declared.map((each) => [each.getName(), each.getInitializer()?.getText() ?? ''] as const),
    ...assigned.map((each) => [each.getLeft().getText(), each.getRight().getText()] as const),
  ].flatMap(([variable, code]) => {
    const [, name] = /^(?:new\s+)?(\w+)\(page\)$/.exec(code) ?? [];
    return name === undefined || !/^\w+$/.test(variable) ? [] : [[name, variable] as const];
  });
  return {
    fixtures: new Set(pattern?.getElements().map((each) => each.getText())),
    made: new Map(made),
    imported: new Set(bindingsOf(source)),
    test,
  };
}

/** The names that a module imports. */
function bindingsOf(source: SourceFile): string[] {
  const imports = source.getImportDeclarations();
  const names = imports.flatMap((each) => each.getNamedImports());
  const required = source
    .getVariableDeclarations()
    .filter((each) => /^require\(/.test(each.getInitializer()?.getText() ?? ''));
  return [
    ...imports.flatMap((each) => each.getDefaultImport()?.getText() ?? []),
    ...names.map((each) => (each.getAliasNode() ?? each.getNameNode()).getText()),
    ...required.flatMap((each) => each.getName().split(/\W+/)),
  ];
}

/** How new statements at the place of a base spec have to be formatted, and how deep they are nested. */
export function formatOf(base: BaseSpec): Format & { depth: number; test: string } {
  const { source, block, call, test } = findPlace(base);
  const strings = source.getDescendantsOfKind(SyntaxKind.StringLiteral).map((node) => node.getText()[0]);
  const statements = source
    .getDescendants()
    .filter(
      (node) =>
        Node.isExpressionStatement(node) || Node.isImportDeclaration(node) || Node.isVariableStatement(node),
    );
  const [first] = block.getStatements();
  const outer = indentOf(base.text, call.getStart());
  const inner = first === undefined ? '' : indentOf(base.text, first.getStart());
  const useTabs = (inner + outer).includes('\t');
  const width = inner.length - indentOf(base.text, owner(block).getStart()).length;
  const tabWidth = useTabs || width <= 0 ? (useTabs ? 1 : 2) : width;
  const indent = first === undefined ? outer.length + tabWidth : inner.length;
  return {
    test,
    singleQuote: strings.filter((mark) => mark === "'").length > strings.length / 2,
    semi: statements.filter((node) => node.getText().endsWith(';')).length >= statements.length / 2,
    useTabs,
    tabWidth: useTabs ? 2 : tabWidth,
    depth: Math.max(1, Math.round(indent / tabWidth)),
  };
}

/** The syntax tree of a file. */
export function parse(text: string, file: string): SourceFile {
  const compilerOptions = { allowJs: true };
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true, compilerOptions });
  return project.createSourceFile(`/file${path.extname(file)}`, text);
}

export function findPlace(base: BaseSpec): Place {
  const { file, line } = base;
  const { source, tests } = readTests(base);
  const call = chosen(tests, base);
  const body = call.getArguments().at(-1);
  const block = isFunction(body) ? body.getBody() : undefined;
  if (!isFunction(body) || !Node.isBlock(block))
    throw unusable(`The test in ${file}:${call.getStartLineNumber()} has no body in braces.`);
  const test = testName(call) ?? '';
  const rows = call.getAncestors().find((node) => !isAround(node));
  if (rows !== undefined)
    throw unusable(
      `The test in ${file}:${call.getStartLineNumber()} is not directly in the file or a describe.`,
    );
  const isWhole =
    line === undefined || line <= block.getStartLineNumber() || line >= block.getEndLineNumber();
  return { source, call, body, test, ...offsetIn(block, isWhole ? undefined : line, file) };
}

/** The parser is recursive: code that is nested thousands of levels deep overflows the stack. */
function readTests({ text, file }: BaseSpec): { source: SourceFile; tests: CallExpression[] } {
  try {
    const source = parse(text, file);
    return { source, tests: testsIn(source) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw unusable(`${file} is nested too deeply to be read.`);
  }
}

function isFunction(node: Node | undefined): node is TestFunction {
  return Node.isArrowFunction(node) || Node.isFunctionExpression(node);
}

/** The calls that declare tests: `test('title', …, async () => …)`, by any name that the spec imports or declares. */
export function testsIn(source: SourceFile): CallExpression[] {
  return source.getDescendantsOfKind(SyntaxKind.CallExpression).filter((call) => {
    const args = call.getArguments();
    const [title] = args;
    const isTitle =
      Node.isStringLiteral(title) ||
      Node.isTemplateExpression(title) ||
      Node.isNoSubstitutionTemplateLiteral(title);
    return isTitle && args.length > 1 && isFunction(args.at(-1)) && testName(call) !== undefined;
  });
}

/** The name by which a call declares a test; undefined for other calls. */
function testName(call: CallExpression): string | undefined {
  const callee = call.getExpression();
  if (Node.isIdentifier(callee))
    return /^(?:describe|step)$/.test(callee.getText()) ? undefined : callee.getText();
  if (!Node.isPropertyAccessExpression(callee) || !/^(?:only|skip|fixme|fail|slow)$/.test(callee.getName()))
    return undefined;
  const of = callee.getExpression();
  return Node.isIdentifier(of) ? of.getText() : undefined;
}

function chosen(tests: readonly CallExpression[], { file, line }: BaseSpec): CallExpression {
  const lines = tests.map((test) => test.getStartLineNumber());
  if (line === undefined) {
    const [only, ...others] = tests;
    if (only === undefined) throw unusable(`${file} has no test to continue.`);
    if (others.length === 0) return only;
    const places = lines.slice(0, 8).map((each) => `${file}:${each}`);
    throw unusable(`${file} has ${tests.length} tests.`, `Name the line of one: ${places.join(', ')}.`);
  }
  const found = tests.find((test) => test.getStartLineNumber() <= line && test.getEndLineNumber() >= line);
  if (found === undefined)
    throw unusable(
      `Line ${line} of ${file} is in no test.`,
      `Its tests begin in lines ${lines.join(', ') || 'none'}.`,
    );
  return found;
}

/** Whether a node may be around a test that is run once: the file, or a describe. */
function isAround(node: Node): boolean {
  if (Node.isCallExpression(node)) return /\bdescribe\b/.test(node.getExpression().getText());
  return (
    Node.isSourceFile(node) || Node.isExpressionStatement(node) || Node.isBlock(node) || isFunction(node)
  );
}

/** Where statements go that come after a line of a block, or at its end: the innermost block, and an offset in it. */
function offsetIn(block: Block, line: number | undefined, file: string): { block: Block; offset: number } {
  const statements = block.getStatements();
  const later = line === undefined ? -1 : statements.findIndex((each) => each.getEndLineNumber() > line);
  const around = statements[later];
  const before = later === -1 ? statements.at(-1) : statements[later - 1];
  if (line !== undefined && around !== undefined && around.getStartLineNumber() <= line) {
    const inner = stepBlock(around);
    if (inner !== undefined && line >= inner.getStartLineNumber()) return offsetIn(inner, line, file);
    const ends = [before?.getEndLineNumber() ?? block.getStartLineNumber(), around.getEndLineNumber()];
    throw unusable(
      `Line ${line} of ${file} is in the middle of a statement.`,
      `Name a line in which one ends: ${ends.join(' or ')}.`,
    );
  }
  const offset = before === undefined ? block.getStart() + 1 : before.getEnd() + trailing(before).length;
  return { block, offset };
}

/** The block of a `test.step`. */
function stepBlock(statement: Statement): Block | undefined {
  const call = statement.getFirstDescendantByKind(SyntaxKind.CallExpression);
  if (call === undefined || !/\.step$/.test(call.getExpression().getText())) return undefined;
  const body = call.getArguments().at(-1);
  const block = isFunction(body) ? body.getBody() : undefined;
  return Node.isBlock(block) ? block : undefined;
}

/** A comment in the line in which a statement ends. */
function trailing(statement: Statement): string {
  const rest = statement.getSourceFile().getFullText().slice(statement.getEnd());
  return /^[ \t]*\/\/[^\r\n]*/.exec(rest)?.[0] ?? '';
}

export function owner(block: Block): ExpressionStatement | Block {
  return block.getFirstAncestorByKind(SyntaxKind.ExpressionStatement) ?? block;
}

export function indentOf(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1))?.[0] ?? '';
}

export function unusable(
  message: string,
  hint = 'Name a spec with a test like test("title", async ({ page }) => { … }), or file.spec.ts:42 for a line in one.',
): CodegenError {
  return new CodegenError('INVALID_INPUT', message, { hint });
}
