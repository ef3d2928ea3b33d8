import { z } from 'zod';

const selfEvident = { selfEvident: true };
const line = z.string().min(1).max(200);
const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Values for one run of the test; each field is a property of `row` in the test. */
export type Row = z.infer<typeof rowSchema>;
const rowSchema = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'expected a name'), scalar);

/** Rows with the same fields. One field must differ in all rows, for the titles. */
const rowsSchema = z
  .array(rowSchema)
  .min(2)
  .max(50)
  .check(({ value: rows, issues }) => {
    const problem = problemOf(rows);
    if (problem === undefined) return;
    const [message, hint] = problem;
    issues.push({ code: 'custom', message, params: { hint }, input: rows });
  });

/** What is wrong with rows, and what to do. */
function problemOf(rows: readonly Row[]): [string, string] | undefined {
  const [first = {}] = rows;
  const fields = Object.keys(first);
  const differing = rows.findIndex(
    (row) =>
      Object.keys(row).length !== fields.length ||
      fields.some((field) => typeof row[field] !== typeof first[field]),
  );
  if (differing !== -1)
    return [
      `row ${differing} does not have the fields and types of row 0`,
      `Give each row ${fields.join(', ')}, with values of the same types as in row 0.`,
    ];
  const values = Object.values(first).map(String);
  const repeated = values.find((each, index) => values.indexOf(each) !== index);
  if (repeated !== undefined)
    return [
      `two fields of row 0 have the value ${JSON.stringify(repeated)}`,
      'Put another row first, or record with other values: the flow must show which field a value stands for.',
    ];
  if (titleField(rows) === undefined)
    return [
      'no field has a different value in each row',
      'Add a field that differs in every row, such as a name: it completes the titles of the tests.',
    ];
  if (values.some((each) => each.includes('{{')))
    return [
      "rows can't contain {{…}} references",
      'Write the reference in the action that uses it, and leave it out of the rows.',
    ];
  return undefined;
}

/** The first field whose values differ in all rows. */
export function titleField(rows: readonly Row[]): string | undefined {
  return Object.keys(rows[0] ?? {}).find(
    (field) => new Set(rows.map((row) => String(row[field]))).size === rows.length,
  );
}

export const languageSchema = z.enum(['typescript', 'javascript']);

export type Language = z.infer<typeof languageSchema>;

export const extensions: Readonly<Record<Language, string>> = { typescript: 'ts', javascript: 'js' };

export function languageOf(file: string): Language {
  return /\.[cm]?jsx?$/.test(file) ? 'javascript' : 'typescript';
}

/** How the test of a session is written. */
export const emissionSchema = z.strictObject({
  language: languageSchema.meta(selfEvident).describe('As configured by default.'),
  template: z.string().min(1).max(100).describe('plain, pom or a custom one.'),
  includeComments: z.boolean().meta(selfEvident).describe('Notes as comments.'),
  testNamePrefix: z.string().max(100).meta(selfEvident).describe("Prefix of the test's title."),
  outputPath: z.string().min(1).optional().describe('Directory in the workspace.'),
  importTestFrom: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .meta(selfEvident)
    .describe('File of the workspace, or alias, that exports `test`; `#name` names another export.'),
  setup: z
    .boolean()
    .optional()
    .meta(selfEvident)
    .describe('Write a set-up test, such as auth.setup.ts, that other projects depend on.'),
  describe: line.optional().meta(selfEvident).describe('Title of a `test.describe` around the test.'),
  tags: z
    .array(z.string().regex(/^@\S+$/, 'expected a tag such as @smoke'))
    .min(1)
    .max(20)
    .optional()
    .meta(selfEvident)
    .describe('Tags of the test, such as `@smoke`.'),
  annotations: z
    .array(z.strictObject({ type: line, description: z.string().max(1000).optional() }))
    .min(1)
    .max(20)
    .optional()
    .meta({ shallow: true })
    .describe('{type, description} each.'),
  data: rowsSchema
    .optional()
    .meta({ shallow: true })
    .describe('Rows {field: value} to run the test for; record with the first.'),
});

export type EmissionOptions = z.infer<typeof emissionSchema>;

/** A module of the project that exports `test`. */
export interface TestModule {
  /** An alias, or its file relative to the spec. */
  from: string;
  /** Its absolute path. */
  file: string;
  /** The export that is used as `test`. */
  test: string;
  hasExpect: boolean;
}
