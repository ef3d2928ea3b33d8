import { z } from 'zod';

/** What the child's configuration stores in a project's metadata, under `metadataKey`. */
export const projectNoteSchema = z.object({
  lane: z.string(),
  /** False if no project of the workspace's configuration covers the files. */
  covered: z.boolean(),
  expectsFailure: z.literal(true).optional(),
});

export const metadataKey = 'codegen-session-mcp';

const placeSchema = z.object({
  /** Line in the test's own file. */
  line: z.int().optional(),
  /** Line in a file that the test calls, such as a page object. */
  innerLine: z.int().optional(),
});

const testErrorSchema = placeSchema.extend({ message: z.string() });

const testRunSchema = z.object({
  /** Undefined for other tests that the workspace's configuration runs, such as a setup. */
  project: projectNoteSchema.optional(),
  /** Absolute. */
  file: z.string(),
  line: z.int(),
  title: z.string(),
  status: z.enum(['passed', 'failed', 'skipped', 'interrupted', 'not run']),
  durationMs: z.number(),
  errors: z.array(testErrorSchema),
  /** What ran when the test was interrupted. */
  running: placeSchema.optional(),
  /** The file in which Playwright describes the failure. */
  contextFile: z.string().optional(),
  /** The page at the failure, as base64 of a JPEG, if it was asked for. */
  picture: z.string().optional(),
});

/** What the child's reporter writes. */
export const reportSchema = z.object({
  tests: z.array(testRunSchema),
  /** Errors outside of tests: loading a file, a global setup, a web server. */
  errors: z.array(z.string()),
});

export type Report = z.infer<typeof reportSchema>;
export type TestRun = z.infer<typeof testRunSchema>;
export type Place = z.infer<typeof placeSchema>;
export type TestError = z.infer<typeof testErrorSchema>;
