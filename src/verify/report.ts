import { z } from 'zod';

/** What the configuration of the child notes in a project's metadata, under `metadataKey`. */
export const projectNoteSchema = z.object({
  lane: z.string(),
  /** False if no project of the workspace's configuration covers the files. */
  covered: z.boolean(),
  expectsFailure: z.literal(true).optional(),
});

export const metadataKey = 'codegen-session-mcp';

const testErrorSchema = z.object({
  message: z.string(),
  /** Line in the test's own file where it happened. */
  line: z.int().optional(),
  /** Line in a file that this line calls, such as a page object. */
  innerLine: z.int().optional(),
});

/** One run of one test. */
const testRunSchema = z.object({
  /** Lane and coverage; undefined for tests that the workspace's configuration runs besides, such as a set-up. */
  project: projectNoteSchema.optional(),
  /** Absolute. */
  file: z.string(),
  line: z.int(),
  title: z.string(),
  status: z.enum(['passed', 'failed', 'skipped', 'interrupted', 'not run']),
  durationMs: z.number(),
  errors: z.array(testErrorSchema),
  /** The file in which Playwright describes the failure. */
  contextFile: z.string().optional(),
});

/** What the reporter of the child writes. */
export const reportSchema = z.object({
  tests: z.array(testRunSchema),
  /** What failed outside of tests: loading a file, a global set-up, a web server. */
  errors: z.array(z.string()),
});

export type Report = z.infer<typeof reportSchema>;
export type TestRun = z.infer<typeof testRunSchema>;
export type TestError = z.infer<typeof testErrorSchema>;
