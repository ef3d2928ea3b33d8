import { z } from 'zod';
import { browserNameSchema } from '../model/use.js';
import { pauseSchema } from './pause.js';

const milliseconds = z.number().positive();

/** Tests that run under the same conditions; they become one Playwright project, or one per project of the workspace. */
const laneSchema = z.object({
  name: z.string(),
  /** `file` runs with the settings that the workspace's configuration has for `as`. Both paths are absolute. */
  files: z.array(z.object({ file: z.string(), as: z.string() })),
  /** The directory that stands in for the workspace, if any. */
  root: z.string().optional(),
  /** Whether comparisons of screenshots and snapshots always pass. */
  ignoreSnapshots: z.boolean().default(false),
  /** Whether its pages have no network. */
  offline: z.boolean().default(false),
  browserName: browserNameSchema,
  headless: z.boolean(),
  javaScriptEnabled: z.boolean().default(true),
  /** Whether the tests are marked with `test.fail()`. */
  expectsFailure: z.boolean().default(false),
  /** How often each test runs. */
  repeat: z.int().min(1).default(1),
  /** Time-out of each test; by default that of the workspace's configuration. */
  timeoutMs: milliseconds.optional(),
  /** Maximum number of its tests that run in parallel. */
  workers: z.int().min(1).optional(),
  /** Upper bounds for the workspace's time-outs of actions, navigations, assertions and tests. */
  limits: z
    .object({
      action: milliseconds.optional(),
      navigation: milliseconds.optional(),
      expect: milliseconds.optional(),
      test: milliseconds.optional(),
    })
    .default({}),
});

/** Describes a run of Playwright Test; the server writes it, and the child's configuration reads it. */
export const planSchema = z.object({
  /** Absolute path of the directory that may contain the workspace's Playwright configuration. */
  workspace: z.string(),
  /** Launch options of Chromium; by default Playwright's. */
  chromium: z
    .object({ executablePath: z.string(), chromiumSandbox: z.boolean(), args: z.array(z.string()) })
    .optional(),
  /** A running browser to connect to: a Playwright server with its launch options, or a Chromium. */
  remote: z
    .object({
      kind: z.enum(['playwright', 'cdp']),
      url: z.string(),
      launch: z.object({ channel: z.string().optional(), executablePath: z.string().optional() }),
    })
    .optional(),
  /** Playwright's `proxy` option, through which all pages connect; undefined if the browser has its own proxy. */
  proxy: z.object({ server: z.string(), bypass: z.string() }).optional(),
  /** Maximum number of worker processes; by default that of the workspace's configuration. */
  workers: z.int().min(1).optional(),
  lanes: z.array(laneSchema),
  /** Where a test that pauses reports; the run then ends at the first failure. */
  pause: pauseSchema.optional(),
  /** Whether missing expected screenshots are created. */
  makesPictures: z.boolean().default(false),
  /** Directory for screenshots that tests take between their steps. */
  pictures: z.string().optional(),
  /** Whether the report has a screenshot of each test that failed. */
  failurePictures: z.boolean().default(false),
  /** Directory for Playwright's HTML report, with a trace of each test. */
  htmlReport: z.string().optional(),
  /** Environment variables whose values are redacted in the report. */
  secrets: z.array(z.string()).default([]),
  reportFile: z.string(),
});

export type Lane = z.input<typeof laneSchema>;
export type Plan = z.input<typeof planSchema>;
export type ParsedLane = z.output<typeof laneSchema>;
export type ParsedPlan = z.output<typeof planSchema>;

/** Environment variable with the path of the plan. */
export const planVariable = 'CODEGEN_VERIFY_PLAN';

/** Environment variable with the workspace, for the child that loads its configuration. */
export const workspaceVariable = 'CODEGEN_WORKSPACE';
