import ts from 'typescript';

/** A statement of a test. */
export interface Statement {
  start: number;
  end: number;
  code: string;
  line: number;
}

/** A parsed spec. */
export interface Spec {
  source: string;
  /** Statements that act on the page, without `goto` and waiting. */
  actions: Statement[];
  /** Statements that open the page. */
  openings: Statement[];
  assertions: Statement[];
}

/** Parses a spec. Statements of an unknown form are skipped, so callers should check the counts. */
export function parseSpec(source: string): Spec {
  const file = ts.createSourceFile('emitted.spec.ts', source, ts.ScriptTarget.Latest, true);
  const spec: Spec = { source, actions: [], openings: [], assertions: [] };
  const visit = (node: ts.Node): void => {
    if (!ts.isExpressionStatement(node) || !ts.isAwaitExpression(node.expression)) {
      ts.forEachChild(node, visit);
      return;
    }
    const { root, method } = calls(node.expression.expression);
    if (root === 'test') {
      ts.forEachChild(node, visit);
      return;
    }
    const statement = {
      start: node.getStart(),
      end: node.end,
      code: node.getText().replace(/\s+(\.)?/g, (_, dot: string | undefined) => dot ?? ' '),
      line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1,
    };
    if (root === 'expect') spec.assertions.push(statement);
    else if (method === 'goto') spec.openings.push(statement);
    else if (!/^(?:waitFor|route|unroute)/.test(method)) spec.actions.push(statement);
  };
  visit(file);
  return spec;
}

/** The object at the start of a chain of calls, and the name of the last call. */
function calls(expression: ts.Expression): { root: string; method: string } {
  let method = '';
  let current = expression;
  while (ts.isCallExpression(current) || ts.isPropertyAccessExpression(current)) {
    if (ts.isPropertyAccessExpression(current)) method ||= current.name.text;
    current = current.expression;
  }
  return { root: current.getText(), method };
}

/** The spec without some statements; line numbers stay the same. */
export function without({ source }: Spec, statements: readonly Statement[]): string {
  return rewrite(source, statements, (code) => code.replace(/[^\n]/g, ''));
}

/** The spec without its assertions, which notes the state of the page after opening it and after each action. */
export function watched({ source, openings, actions, assertions }: Spec): string {
  const acting = rewrite(source, [...openings, ...actions, ...assertions], (code, statement) =>
    assertions.includes(statement) ? '' : `${code} await note(page);`,
  );
  return `${acting}
/** @param {import('@playwright/test').Page} page */
async function note(page) {
  // Longer than any effect of an action takes on these pages.
  await page.waitForTimeout(400);
  const state = (await page.ariaSnapshot({ mode: 'ai' })).replace(/ \\[ref=\\w+\\]/g, '');
  test.info().annotations.push({ type: 'state', description: page.url() + '\\n' + state });
}
`;
}

function rewrite(
  source: string,
  statements: readonly Statement[],
  replace: (code: string, statement: Statement) => string,
): string {
  let result = source;
  for (const statement of statements.toSorted((one, other) => other.start - one.start)) {
    const { start, end } = statement;
    result = result.slice(0, start) + replace(source.slice(start, end), statement) + result.slice(end);
  }
  return result;
}
