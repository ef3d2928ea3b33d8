import {
  Node,
  SyntaxKind,
  type ObjectLiteralElementLike,
  type ObjectLiteralExpression,
  type SourceFile,
} from 'ts-morph';
import { parse } from './base-spec.js';

/** A fixture of the project whose value is a page object. */
export interface OwnFixture {
  name: string;
  /** What it does before the test: calls of the page object's methods, with the code of their arguments, and other code. */
  setup: readonly (string | { method: string; args: string })[];
}

/** What a fixture does to the page before every test. */
export interface OwnStart {
  setup: readonly string[];
  /** The options of the test function that are texts. */
  options: Readonly<Record<string, string>>;
}

/** A name that a module imports. */
export interface ImportedName {
  from: string;
  name: string;
}

interface FoundFixture extends OwnFixture {
  /** The class of the page object, or the function that returns it; without `from`, it is in the same module. */
  made: Partial<ImportedName> & { name: string };
}

/**
 * The fixtures that give page objects, of the test function that a module exports by that name, what others do to the
 * page of every test, and the test functions of other modules that it extends. `seen` has the names of fixtures that are
 * overridden, to which those of this module are added.
 */
export function readFixtures(
  { file, text, name }: { file: string; text: string; name: string },
  seen: Set<string>,
): { fixtures: FoundFixture[]; starts: string[][]; options: [string, string][]; bases: ImportedName[] } {
  const source = parse(text, file);
  const imports = importedNames(source);
  const fixtures: FoundFixture[] = [];
  const starts: string[][] = [];
  const options: [string, string][] = [];
  const bases: ImportedName[] = [];
  const add = (extension: ObjectLiteralExpression | undefined): void => {
    for (const member of extension?.getProperties() ?? []) {
      const named =
        member.asKind(SyntaxKind.PropertyAssignment) ??
        member.asKind(SyntaxKind.MethodDeclaration) ??
        member.asKind(SyntaxKind.ShorthandPropertyAssignment);
      const own = named?.getName() ?? '';
      if (seen.has(own)) continue;
      seen.add(own);
      const text = textOf(member);
      if (text !== undefined) options.push([own, text]);
      const body = bodyOf(member);
      const fixture = body && pageObjectIn(body);
      if (fixture !== undefined)
        fixtures.push({ ...fixture, name: own, made: imports.get(fixture.made) ?? { name: fixture.made } });
      if (body !== undefined && (body.isAutomatic || (own === 'page' && body.value === 'page')))
        starts.push(body.before.filter((each) => /\bpage\b/.test(each)));
    }
  };
  const follow = (node: Node | undefined): void => {
    if (Node.isIdentifier(node)) {
      const imported = imports.get(node.getText());
      if (imported !== undefined) bases.push(imported);
      else follow(source.getVariableDeclaration(node.getText())?.getInitializer());
    }
    if (!Node.isCallExpression(node)) return;
    const callee = node.getExpression();
    if (callee.getText() === 'mergeTests') node.getArguments().forEach(follow);
    if (!Node.isPropertyAccessExpression(callee) || callee.getName() !== 'extend') return;
    const [given] = node.getArguments();
    const declared = given && source.getVariableDeclaration(given.getText())?.getInitializer();
    add((declared ?? given)?.asKind(SyntaxKind.ObjectLiteralExpression));
    follow(callee.getExpression());
  };
  const exported = source
    .getExportDeclarations()
    .flatMap((each) => each.getNamedExports())
    .find((each) => (each.getAliasNode() ?? each.getNameNode()).getText() === name);
  const from = exported?.getExportDeclaration().getModuleSpecifierValue();
  const local = exported?.getName() ?? name;
  const imported = from === undefined ? imports.get(local) : { from, name: local };
  if (imported !== undefined) bases.push(imported);
  else follow(source.getVariableDeclaration(local)?.getInitializer());
  return { fixtures, starts: starts.filter((setup) => setup.length > 0), options, bases };
}

/** The value of an option that is a text. */
function textOf(member: ObjectLiteralElementLike): string | undefined {
  const given = member.asKind(SyntaxKind.PropertyAssignment)?.getInitializer();
  const [first] = given?.asKind(SyntaxKind.ArrayLiteralExpression)?.getElements() ?? [given];
  return first?.asKind(SyntaxKind.StringLiteral)?.getLiteralValue();
}

/** What a module imports, by its local names. */
export function importedNames(source: SourceFile): Map<string, ImportedName> {
  const imports = new Map<string, ImportedName>();
  for (const each of source.getImportDeclarations()) {
    const from = each.getModuleSpecifierValue();
    const whole = each.getDefaultImport();
    if (whole !== undefined) imports.set(whole.getText(), { from, name: 'default' });
    for (const named of each.getNamedImports())
      imports.set((named.getAliasNode() ?? named.getNameNode()).getText(), { from, name: named.getName() });
  }
  for (const each of source.getVariableDeclarations()) {
    const [, from] = /^require\(\s*["']([^"']+)["']\s*\)$/.exec(each.getInitializer()?.getText() ?? '') ?? [];
    const pattern = each.getNameNode().asKind(SyntaxKind.ObjectBindingPattern);
    if (from === undefined) continue;
    for (const element of pattern?.getElements() ?? [])
      imports.set(element.getName(), {
        from,
        name: element.getPropertyNameNode()?.getText() ?? element.getName(),
      });
  }
  return imports;
}

interface FixtureBody {
  /** The statements before the test. */
  before: string[];
  /** The code of what the test gets. */
  value: string;
  isAutomatic: boolean;
}

/** What a fixture does that has the page of one test; undefined for every other. */
function bodyOf(member: ObjectLiteralElementLike): FixtureBody | undefined {
  const given = member.asKind(SyntaxKind.PropertyAssignment)?.getInitializer();
  const [first, options] = given?.asKind(SyntaxKind.ArrayLiteralExpression)?.getElements() ?? [given];
  const made =
    member.asKind(SyntaxKind.MethodDeclaration) ??
    first?.asKind(SyntaxKind.ArrowFunction) ??
    first?.asKind(SyntaxKind.FunctionExpression);
  if (made === undefined || options?.getText().includes('worker') === true) return undefined;
  const [needed, use] = made.getParameters();
  const names = needed?.getNameNode().asKind(SyntaxKind.ObjectBindingPattern)?.getElements() ?? [];
  if (use === undefined || !names.some((each) => each.getText() === 'page')) return undefined;
  const body = made.getBody();
  const statements = (body?.asKind(SyntaxKind.Block)?.getStatements() ?? [body]).map(
    (each) => each?.getText().replace(/;$/, '') ?? '',
  );
  const giving = new RegExp(`^(?:return\\s+|await\\s+)*${use.getName()}\\(([^]*)\\)$`);
  const at = statements.findIndex((each) => giving.test(each));
  if (at === -1) return undefined;
  return {
    before: statements.slice(0, at),
    value: giving.exec(statements[at] ?? '')?.[1]?.trim() ?? '',
    isAutomatic: /\bauto:\s*true\b/.test(options?.getText() ?? ''),
  };
}

/** The object of the page that a fixture makes and gives to the test; undefined if it gives something else. */
function pageObjectIn({
  before,
  value,
}: FixtureBody): (Pick<OwnFixture, 'setup'> & { made: string }) | undefined {
  const declaration = new RegExp(`^(?:const|let|var)\\s+${value}\\b[^=]*=\\s*([^]+)$`);
  const isVariable = /^\w+$/.test(value);
  const code = isVariable ? before.flatMap((each) => declaration.exec(each)?.[1] ?? [])[0] : value;
  const [, name] = /^(?:new\s+)?([\w$]+)\(\s*page\s*\)$/.exec(code ?? '') ?? [];
  if (name === undefined) return undefined;
  const others = before.filter((each) => !(isVariable && declaration.test(each)));
  return {
    made: name,
    setup: others.map((each) => {
      const [, of, method = '', args = ''] = /^await\s+(\w+)\.(\w+)\(([^]*)\)$/.exec(each) ?? [];
      return isVariable && of === value ? { method, args } : each;
    }),
  };
}
