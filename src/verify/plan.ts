import { z } from 'zod';
import { browserNameSchema } from '../model/use.js';
import { pauseSchema } from './pause.js';

const milliseconds = z.number().positive();

/** Tests that run under the same conditions: they become one project of Playwright Test, or one for each project of the workspace. */
const laneSchema = z.object({
  name: z.string(),
  /** `file` is what runs; the workspace's configuration is asked what it does with `as`. Both are absolute. */
  files: z.array(z.object({ file: z.string(), as: z.string() })),
  /** The directory that replaces the workspace around the files, if any. */
  root: z.string().optional(),
  /** Whether pictures and snapshots are taken for equal. */
  ignoreSnapshots: z.boolean().default(false),
  /** Whether its pages have no network. */
  offline: z.boolean().default(false),
  browserName: browserNameSchema,
  headless: z.boolean(),
  /** False switches JavaScript off in the pages. */
  javaScriptEnabled: z.boolean().default(true),
  /** The files mark their tests with `test.fail()`. */
  expectsFailure: z.boolean().default(false),
  /** How often each test runs. */
  repeat: z.int().min(1).default(1),
  /** Milliseconds for each test; undefined leaves it to the workspace's configuration. */
  timeoutMs: milliseconds.optional(),
  /** How many of its tests run at once at most. */
  workers: z.int().min(1).optional(),
  /** Milliseconds that actions, navigations, assertions and tests may take at most, unless the workspace's configuration says less. */
  limits: z
    .object({
      action: milliseconds.optional(),
      navigation: milliseconds.optional(),
      expect: milliseconds.optional(),
      test: milliseconds.optional(),
    })
    .default({}),
});

/** What a run of Playwright Test is to do; the server writes it, the configuration of the child reads it. */
export const planSchema = z.object({
  /** Where the workspace's own configuration of Playwright Test is looked for; absolute. */
  workspace: z.string(),
  /** How Chromium is launched; undefined leaves it to Playwright. */
  chromium: z
    .object({ executablePath: z.string(), chromiumSandbox: z.boolean(), args: z.array(z.string()) })
    .optional(),
  /** A browser that is up already: a server of Playwright's, with what it is asked to start, or a Chromium. */
  remote: z
    .object({
      kind: z.enum(['playwright', 'cdp']),
      url: z.string(),
      launch: z.object({ channel: z.string().optional(), executablePath: z.string().optional() }),
    })
    .optional(),
  /** The only way from the tests' pages to the network, as Playwright takes it; undefined if the browser has its own. */
  proxy: z.object({ server: z.string(), bypass: z.string() }).optional(),
  /** Processes that run tests at once; undefined leaves it to the workspace's configuration. */
  workers: z.int().min(1).optional(),
  lanes: z.array(laneSchema),
  /** Where a test that pauses reports to; the run then ends with the first failure. */
  pause: pauseSchema.optional(),
  /** Whether missing pictures to compare with are created. */
  makesPictures: z.boolean().default(false),
  /** Where tests that take pictures between their steps put them. */
  pictures: z.string().optional(),
  /** Variables whose values the report leaves out. */
  secrets: z.array(z.string()).default([]),
  /** Where the report goes. */
  reportFile: z.string(),
});

export type Lane = z.input<typeof laneSchema>;
export type Plan = z.input<typeof planSchema>;
export type ParsedLane = z.output<typeof laneSchema>;
export type ParsedPlan = z.output<typeof planSchema>;

/** Names the file of the plan to the child. */
export const planVariable = 'CODEGEN_VERIFY_PLAN';

/** Names the workspace to the child that loads its configuration. */
export const workspaceVariable = 'CODEGEN_WORKSPACE';
