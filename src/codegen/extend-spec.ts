import path from 'node:path';
import { Node, SyntaxKind, type Identifier, type SourceFile } from 'ts-morph';
import { findPlace, indentOf, owner, testsIn, unusable, type BaseSpec, type Place } from './base-spec.js';

/** What is put into a base spec. */
interface Insertion {
  /** The statements, formatted as the file is. */
  text: string;
  /** Hooks that go above the test, formatted as the file is; empty for none. */
  hooks?: string;
  /** Fixtures that they use. */
  fixtures: readonly string[];
  usesExpect: boolean;
  /** Import declarations that they need. */
  imports: readonly string[];
  /** For a seed: the title of the new test as a literal, and where the test is going to be. */
  title: string;
  spec: string;
}

interface Extended {
  source: string;
  /** The same lines, of which a run only runs this test. */
  staged: string;
  /** The line that the inserted text begins in. */
  line: number;
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

/** A base spec whose test calls a global function at the place, and of which only this test runs. */
export function pausingText(base: BaseSpec, pauseFunction: string): string {
  const place = findPlace(base);
  const pause = `\n;await globalThis.${pauseFunction}(page, ${place.test}.info());`;
  return applied(base.text, [
    { start: place.offset, end: place.offset, text: pause },
    ...parameterEdits(place, ['page']),
    onlyEdit(place),
  ]);
}

/** Puts statements into a base spec. Everything else stays as it is, except that a seed keeps only the one test. */
export function extendSpec(base: BaseSpec, insertion: Insertion): Extended {
  const place = findPlace(base);
  const end = base.text.includes('\r\n') ? '\r\n' : '\n';
  const tail = base.text.slice(place.offset, place.block.getEnd());
  const outer = indentOf(base.text, owner(place.block).getStart());
  const isAtEnd = tail.trim() === '}';
  // A block that ends in the line in which it begins is broken up.
  const closing = isAtEnd && !tail.includes('\n') ? `${end}${outer}` : '';
  const text = `${end}${insertion.text.split('\n').join(end)}${closing}`;
  const edits = [
    { start: place.offset, end: place.offset + (closing === '' ? 0 : tail.length - 1), text },
    ...parameterEdits(place, insertion.fixtures),
    ...importEdits(place, insertion, end),
    ...hookEdits(place, base, insertion.hooks, end),
    ...(base.kind === 'seed' ? seedEdits(place, base.file, insertion) : []),
  ];
  const source = applied(base.text, edits);
  const only = base.kind === 'seed' ? [] : [onlyEdit(place)];
  const line = applied(base.text, edits, place.offset).split('\n').length + 1;
  return { source, staged: applied(base.text, [...edits, ...only]), line };
}

/** Requests fixtures that the test does not request yet, and that nothing in it declares. */
function parameterEdits({ body, source }: Place, fixtures: readonly string[]): Edit[] {
  const [parameter] = body.getParameters();
  const pattern = parameter?.getFirstChildByKind(SyntaxKind.ObjectBindingPattern);
  const around = body
    .getAncestors()
    .flatMap((node) => (Node.isBlock(node) || Node.isSourceFile(node) ? [node] : []));
  const declared = new Set(
    [
      ...body.getDescendantsOfKind(SyntaxKind.VariableDeclaration),
      ...around.flatMap((node) => node.getVariableDeclarations()),
    ].map((each) => each.getName()),
  );
  const known = pattern?.getElements() ?? [];
  const names = new Set(known.map((each) => each.getName()));
  const missing = fixtures.filter((name) => !names.has(name) && !declared.has(name));
  if (missing.length === 0) return [];
  if (parameter === undefined) {
    const open = source.getFullText().indexOf('(', body.getStart()) + 1;
    return [{ start: open, end: open, text: `{ ${missing.join(', ')} }` }];
  }
  if (pattern === undefined)
    throw unusable(`The test in line ${body.getStartLineNumber()} does not destructure its fixtures.`);
  const last = known.at(-1);
  const at = last?.getEnd() ?? pattern.getStart() + 1;
  const list = missing.join(', ');
  return [{ start: at, end: at, text: last === undefined ? ` ${list} ` : `, ${list}` }];
}

/** Imports `expect` from where the test function comes from, and what else is needed. */
function importEdits({ source, test }: Place, { usesExpect, imports }: Insertion, end: string): Edit[] {
  const text = source.getFullText();
  const edits: Edit[] = [];
  const hasExpect = source
    .getDescendantsOfKind(SyntaxKind.Identifier)
    .some((node) => node.getText() === 'expect' && isBinding(node));
  if (usesExpect && !hasExpect) {
    const named = source
      .getImportDeclarations()
      .flatMap((each) => each.getNamedImports())
      .find((each) => (each.getAliasNode() ?? each.getNameNode()).getText() === test);
    const required = source
      .getDescendantsOfKind(SyntaxKind.BindingElement)
      .find((each) => each.getName() === test);
    const beside = named ?? required;
    if (beside === undefined)
      throw unusable('The spec does not import expect.', 'Import it, and start again.');
    edits.push({ start: beside.getEnd(), end: beside.getEnd(), text: ', expect' });
  }
  const missing = imports.filter((each) => !text.includes(each.replace(/;$/, '')));
  if (missing.length > 0) {
    const at = source.getImportDeclarations()[0]?.getStart() ?? source.getStart();
    edits.push({ start: at, end: at, text: missing.map((each) => `${each}${end}`).join('') });
  }
  return edits;
}

/** Puts hooks above the test, if they run for no other. */
function hookEdits({ call, source }: Place, base: BaseSpec, hooks = '', end: string): Edit[] {
  if (hooks === '') return [];
  const statement = call.getFirstAncestorByKindOrThrow(SyntaxKind.ExpressionStatement);
  const around = statement.getParentOrThrow();
  const isAlone = testsIn(source).every((test) => test === call || !test.getAncestors().includes(around));
  if (!isAlone && base.kind === 'spec')
    throw unusable(
      `The hook would run for other tests of ${base.file}, too.`,
      'Put the test into a describe of its own first, or remove the steps with `hook`.',
    );
  const at = statement.getLeadingCommentRanges()[0]?.getPos() ?? statement.getStart();
  const text = `${hooks.trimStart().split('\n').join(end)}${end}${end}${indentOf(base.text, at)}`;
  return [{ start: at, end: at, text }];
}

function isBinding(node: Identifier): boolean {
  const parent = node.getParent();
  return (
    Node.isImportSpecifier(parent) || Node.isBindingElement(parent) || Node.isVariableDeclaration(parent)
  );
}

/** Turns a seed into a new test: removes other tests and what follows the place, changes the title and relative imports. */
function seedEdits(place: Place, file: string, { title, spec }: Insertion): Edit[] {
  const { call, source, test, block, offset } = place;
  // What comes after the place is not what the session has seen.
  const rest = [block, ...block.getAncestors()]
    .filter((node) => Node.isBlock(node) && node.getPos() > call.getPos())
    .flatMap((node) => (Node.isBlock(node) ? node.getStatements() : []))
    .filter((each) => each.getStart() >= offset);
  const [old] = call.getArguments();
  const callee = call.getExpression();
  const kept = new Set<unknown>([call, ...call.getAncestors()]);
  const others = source.getDescendantsOfKind(SyntaxKind.ExpressionStatement).filter((each) => {
    const inner = each.getExpression();
    const declares =
      Node.isCallExpression(inner) &&
      (testsIn(source).includes(inner) || /\bdescribe\b/.test(inner.getExpression().getText()));
    return declares && !kept.has(each) && kept.has(each.getParentOrThrow());
  });
  return [
    ...rest.map((each) => ({ start: Math.max(offset, each.getFullStart()), end: each.getEnd(), text: '' })),
    ...others.map((each) => ({ start: each.getFullStart(), end: each.getEnd(), text: '' })),
    ...(old === undefined ? [] : [{ start: old.getStart(), end: old.getEnd(), text: title }]),
    { start: callee.getStart(), end: callee.getEnd(), text: test },
    ...movedImports(source, path.posix.dirname(file), path.posix.dirname(spec)),
  ];
}

function movedImports(source: SourceFile, from: string, to: string): Edit[] {
  if (from === to) return [];
  return source
    .getDescendantsOfKind(SyntaxKind.StringLiteral)
    .filter((node) => {
      const parent = node.getParent();
      const isRequired =
        Node.isCallExpression(parent) && /^(?:require|import)$/.test(parent.getExpression().getText());
      return (
        node.getLiteralText().startsWith('.') &&
        (Node.isImportDeclaration(parent) || Node.isExportDeclaration(parent) || isRequired)
      );
    })
    .map((node) => {
      const moved = path.posix.relative(to, path.posix.join(from, node.getLiteralText()));
      const relative = moved.startsWith('.') ? moved : `./${moved}`;
      return { start: node.getStart() + 1, end: node.getEnd() - 1, text: relative };
    });
}

function onlyEdit({ call, test }: Place): Edit {
  const callee = call.getExpression();
  return { start: callee.getStart(), end: callee.getEnd(), text: `${test}.only` };
}

/** A text with edits; up to an offset of the old text, if given. */
function applied(text: string, edits: readonly Edit[], until = text.length): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: added } of [...edits].sort((one, other) => one.start - other.start)) {
    if (start >= until && until < text.length) break;
    result += text.slice(at, start) + added;
    at = Math.max(at, end);
  }
  return result + text.slice(at, until);
}
