import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import type ts from 'typescript';
import type { Json } from '../../src/model/json.js';
import { block, comment, literal, pattern, quote } from '../../src/codegen/quote.js';
import { hostilePattern, hostileString } from './hostile.js';
import { runs } from '../runs.js';
import { expect, test } from '../fixtures.js';

// One worker runs this file, and it alone loads TypeScript.
test.describe.configure({ mode: 'default' });
let typescript: typeof ts;
test.beforeAll(async () => {
  typescript = (await import('typescript')).default;
});

const manyRuns = { numRuns: runs(2000) };

/** Where sources are evaluated: one realm for all, apart from ours. */
const realm = createContext({});

function evaluate(source: string, globals: object = {}): unknown {
  return runInContext(`(${source})`, Object.assign(realm, globals));
}

/** The statements of a source, as TypeScript sees them. */
function statementsOf(source: string): readonly ts.Statement[] {
  return typescript.createSourceFile('a.ts', source, typescript.ScriptTarget.ES2022).statements;
}

/** The one expression that a source consists of; undefined where it is more. */
function expressionOf(source: string): ts.Expression | undefined {
  const [statement, ...more] = statementsOf(`${source};`);
  return statement && typescript.isExpressionStatement(statement) && more.length === 0
    ? statement.expression
    : undefined;
}

test.describe('block', () => {
  test('gives a literal of the same lines, each of them indented', () => {
    fc.assert(
      fc.property(fc.array(hostileString, { minLength: 2 }), (lines) => {
        const text = lines.join('\n');
        const indented = text.split('\n').map((line) => (line === '' ? '' : `    ${line}`));
        const node = expressionOf(block(text));
        return (
          evaluate(block(text)) === `\n${indented.join('\n')}\n  ` &&
          node !== undefined &&
          typescript.isNoSubstitutionTemplateLiteral(node)
        );
      }),
      manyRuns,
    );
  });
});

test.describe('quote', () => {
  test('gives a literal that evaluates to the same string', () => {
    fc.assert(
      fc.property(hostileString, (text) => {
        const node = expressionOf(quote(text));
        return (
          evaluate(quote(text)) === text && node && typescript.isStringLiteral(node) && node.text === text
        );
      }),
      manyRuns,
    );
  });

  test('shows every character and can stand in an inline script', () => {
    fc.assert(
      fc.property(hostileString, (text) => {
        return !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\u00a0\u3164]|<\/script|<!--/iu.test(quote(text));
      }),
      manyRuns,
    );
  });

  test('is left alone by Prettier', async () => {
    const { format } = await import('prettier');
    await fc.assert(
      fc.asyncProperty(fc.array(hostileString, { minLength: 30, maxLength: 30 }), async (texts) => {
        const source = texts.map((text) => `call(${quote(text)});\n`).join('');
        expect(await format(source, { parser: 'babel', printWidth: 9999 })).toBe(source);
      }),
      { numRuns: 20 },
    );
  });

  for (const [text, source] of [
    ['Save', '"Save"'],
    ["it's", '"it\'s"'],
    ['say "hi"', '\'say "hi"\''],
    [`"it's"`, `'"it\\'s"'`],
    ['a\\b\n\tc', '"a\\\\b\\n\\tc"'],
    ['\u202e\ud800\u{e0041}\u00a0', '"\\u202e\\ud800\\udb40\\udc41\\u00a0"'],
    ['</script>', '"\\u003c/script>"'],
    ['日本 😀 é <b>', '"日本 😀 é <b>"'],
  ] as const) {
    test(`writes ${source}`, () => {
      expect(quote(text)).toBe(source);
    });
  }
});

const hostileJson = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    hostileString,
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(hostileString, tie('value'), { maxKeys: 3 }),
  ),
})).value;

test.describe('literal', () => {
  test('gives a literal that evaluates to the same value', () => {
    fc.assert(
      fc.property(hostileJson, (value) => {
        return evaluate(`JSON.stringify(${literal(value)})`) === JSON.stringify(value);
      }),
      manyRuns,
    );
  });

  test('quotes only the names that need it', () => {
    expect(literal({ plain: -0, 'with-dash': [true, null], $a_1: {} })).toBe(
      '{ plain: -0, "with-dash": [true, null], $a_1: {} }',
    );
  });

  test('keeps __proto__ a property of its own', () => {
    const source = literal(Object.fromEntries([['__proto__', { polluted: true }]]));
    expect(evaluate(`Object.keys(${source}).join()`)).toBe('__proto__');
    expect(evaluate(`${source}.polluted`)).toBeUndefined();
  });
});

test.describe('pattern', () => {
  test('gives one expression that is the same regular expression', () => {
    fc.assert(
      fc.property(hostilePattern, hostileString, ({ regex, flags }, text) => {
        const source = pattern({ regex, flags });
        const node = expressionOf(source);
        const find = (expression: string) =>
          evaluate(`JSON.stringify([...text.matchAll(${expression})])`, { text, regex, flags });
        return (
          node &&
          (typescript.isRegularExpressionLiteral(node) || typescript.isNewExpression(node)) &&
          !/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(source) &&
          find(`new RegExp(${source}, "g${flags}")`) === find('new RegExp(regex, "g" + flags)')
        );
      }),
      manyRuns,
    );
  });

  for (const [regex, flags, source] of [
    ['Order #\\d+', 'i', '/Order #\\d+/i'],
    ['a/b', '', '/a\\/b/'],
    ['', '', '/(?:)/'],
    ['a\nb', '', '/a\\nb/'],
    ['\u202e\\\u202e', '', '/\\u202e\\u202e/'],
    ['\\p{L}', 'u', '/\\p{L}/u'],
    ['\\p{L}', '', 'new RegExp("\\\\p{L}")'],
    ['(a)\\1', 'i', 'new RegExp("(a)\\\\1", "i")'],
  ] as const) {
    test(`writes ${source}`, () => {
      expect(pattern({ regex, flags })).toBe(source);
    });
  }

  test('rejects an invalid regular expression', () => {
    expect(() => pattern({ regex: '(' })).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    expect(() => pattern({ regex: 'a', flags: 'x' })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });
});

test.describe('comment', () => {
  test('is nothing but comment lines', () => {
    fc.assert(
      fc.property(
        fc.array(hostileString).map((parts) => parts.join(' ')),
        (text) => {
          const lines = comment(text);
          const source = [...lines, '"reached"'].join('\n');
          return (
            evaluate(source) === 'reached' &&
            statementsOf(source).length === 1 &&
            lines.every((line) => /^\/\/ \S/.test(line)) &&
            !/ $|[\p{Cf}\p{Cs}\u2028\u2029]/mu.test(lines.join('\n'))
          );
        },
      ),
      manyRuns,
    );
  });

  test('breaks long notes between words', () => {
    expect(comment(`${'word '.repeat(20)}\r\n\r\nlast\tline `)).toEqual([
      `// ${'word '.repeat(15).trim()}`,
      `// ${'word '.repeat(5).trim()}`,
      '// last line',
    ]);
    expect(comment(`see ${'x'.repeat(100)} there`)).toEqual(['// see', `// ${'x'.repeat(100)}`, '// there']);
    expect(comment(' \n ')).toEqual([]);
  });

  for (const text of ['@ts-expect-error', 'eslint-disable-next-line', 'prettier-ignore', 'global test']) {
    test(`does not let a tool obey ${text}`, () => {
      expect(comment(`${text}\nwords`)).toEqual([`// Note: ${text}`, '// words']);
    });
  }
});
