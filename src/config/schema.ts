import { z } from 'zod';
import { languageSchema } from '../model/emission.js';
import { limitSchema } from '../model/policy.js';
import { browserNameSchema, useSchema } from '../model/use.js';
import { isThisMachine } from '../network/address.js';
import { parsePattern } from '../network/rules.js';
import {
  browserUrl,
  cdpUrl,
  directorySchema,
  environmentName,
  originSuchAs,
  outputDirectory,
  policyOrPath,
  redisUrl,
} from './fields.js';
import { conflictsOf, grantSchema, httpSchema, webhookSchema } from './http-schema.js';
import { operatorConflicts, uiSchema } from './ui-schema.js';

const milliseconds = z.int().min(1).max(86_400_000);

const amount = z.int().min(1);

/** What happens to a test that fails; the strictest first. */
export const verifyModeSchema = z.enum(['require', 'report', 'off']);

const outputSchema = z
  .strictObject({
    dir: outputDirectory
      .default('generated-tests')
      .describe(
        'Directory of emitted tests, relative to the workspace. If it is left out and does not exist, tests go to the `testDir` that your Playwright configuration names, in the language of its specs.',
      ),
    language: languageSchema.default('typescript').describe('Language of emitted tests.'),
    template: z
      .string()
      .min(1)
      .max(100)
      .default('plain')
      .describe('Template of emitted tests: `plain`, `pom` (with page objects), or the name of your own.'),
    templatesDir: directorySchema
      .nullable()
      .default(null)
      .describe('Directory of your own templates, relative to the workspace; each is a file `<name>.eta`.'),
    includeComments: z.boolean().default(true).describe('Write notes of steps as comments.'),
    importTestFrom: z
      .string()
      .min(1)
      .max(500)
      .nullable()
      .default(null)
      .describe(
        'Where emitted tests import `test` and `expect` from: a file of the workspace, or a path alias; `#name` names another export. Null is `@playwright/test`.',
      ),
    pageObjectsDir: directorySchema
      .nullable()
      .default(null)
      .describe('Directory of page objects that you wrote: emitted tests use their fields and methods.'),
    maxAnswerBytes: z
      .int()
      .min(2000)
      .default(16_000)
      .describe('Maximum bytes of a result, in each of its forms: text, and structured content.'),
  })
  .prefault({})
  .describe('The emitted files.');

const certificateFile = directorySchema.describe('Path, relative to the workspace or absolute.');

const clientCertificateSchema = z
  .strictObject({
    origin: originSuchAs('https://shop.example').describe('The only origin that gets it.'),
    certPath: certificateFile.optional(),
    keyPath: certificateFile.optional(),
    pfxPath: certificateFile.optional(),
    passphrase: z
      .string()
      .regex(/^\{\{secret:\w+\}\}$/, 'expected {{secret:NAME}}')
      .optional()
      .describe('Passphrase of the key, as `{{secret:NAME}}`.'),
  })
  .refine(
    ({ certPath, keyPath, pfxPath }) =>
      pfxPath === undefined
        ? certPath !== undefined && keyPath !== undefined
        : (certPath ?? keyPath) === undefined,
    'expected certPath and keyPath, or pfxPath',
  );

export type ClientCertificate = z.infer<typeof clientCertificateSchema>;

const browserSchema = z
  .strictObject({
    name: browserNameSchema.default('chromium').describe('Browser engine for sessions.'),
    headless: z.boolean().default(true).describe('Run without a visible window.'),
    channel: z
      .enum([
        'chrome',
        'chrome-beta',
        'chrome-dev',
        'chrome-canary',
        'chromium',
        'msedge',
        'msedge-beta',
        'msedge-dev',
        'msedge-canary',
      ])
      .nullable()
      .default(null)
      .describe('Installed browser to use; null uses the first one found.'),
    executablePath: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Browser executable to use instead of searching for one.'),
    endpoint: z
      .union([browserUrl, z.array(browserUrl).min(1)], {
        error:
          'expected the URL of a Playwright server (ws://) or of a Chromium (http://, wss://), or a list of them',
      })
      .nullable()
      .default(null)
      .describe(
        'URL of a running browser, or a list of URLs: a Playwright server (`ws://`) or a CDP endpoint (`http://`, `wss://`); null starts a browser.',
      ),
    attach: cdpUrl
      .nullable()
      .default(null)
      .describe(
        "CDP endpoint of a person's own browser: sessions open a tab in it, with its logins, and close only that. The policy has to allow `attach`.",
      ),
    clientCertificates: z
      .array(clientCertificateSchema)
      .default([])
      .describe(
        'Client certificates of sessions, each for one origin; tests get theirs from the Playwright configuration.',
      ),
    maxSessions: z.int().min(1).max(100).default(8).describe('Maximum number of open sessions.'),
    maxPagesPerSession: z
      .int()
      .min(1)
      .max(1000)
      .default(20)
      .describe('Maximum number of open pages per session.'),
    idleTimeoutMs: milliseconds
      .default(900_000)
      .describe('Milliseconds without a call after which a session is closed.'),
    actionTimeoutMs: milliseconds
      .default(5000)
      .describe('Timeout of an action or assertion, in milliseconds.'),
    navigationTimeoutMs: milliseconds.default(30_000).describe('Timeout of a navigation, in milliseconds.'),
    use: useSchema
      .default({})
      .describe("Playwright Test's `use` for every session; the `use` of a session takes precedence."),
  })
  .prefault({})
  .describe('The browser for sessions.');

const origins = z.array(
  z
    .string()
    .refine(
      (text) => parsePattern(text) !== undefined,
      'expected *, an origin such as https://shop.example or http://localhost:*, a host such as *.shop.example, or a range of addresses such as 10.0.0.0/8',
    ),
);

const networkSchema = z
  .strictObject({
    allowedOrigins: origins
      .default(['*'])
      .describe('Origins that pages may reach. Cloud metadata services must be listed explicitly.'),
    blockedOrigins: origins
      .default([])
      .describe('Origins that pages may not reach, even if they are allowed.'),
  })
  .prefault({})
  .describe('What pages may reach: `*`, origins, hosts.');

const writesSchema = z
  .strictObject({
    overwrite: z
      .enum(['never', 'generated', 'always'])
      .default('generated')
      .describe(
        'Existing files that a call may replace: none (`never`), unedited files that this tool emitted (`generated`), or any (`always`).',
      ),
    maxFileBytes: amount.default(262_144).describe('Maximum size of a file, in bytes.'),
    maxFilesPerSession: amount.default(20).describe('Maximum number of files per session.'),
    maxBytesPerSession: amount.default(67_108_864).describe('Maximum number of bytes per session.'),
    maxFilesPerDay: amount
      .default(2_000)
      .describe('Maximum number of files within 24 hours, for all sessions.'),
    maxBytesPerDay: amount
      .default(1_073_741_824)
      .describe('Maximum number of bytes within 24 hours, for all sessions.'),
    maxFilesInDirectory: amount
      .default(20_000)
      .describe('Maximum number of files in the output directory and its subdirectories.'),
    maxBytesInDirectory: amount
      .default(1_073_741_824)
      .describe('Maximum number of bytes in the output directory and its subdirectories.'),
    backups: z
      .strictObject({
        maxFiles: amount.default(500).describe('Maximum number of backups; older ones are removed.'),
        maxAgeDays: amount.default(90).describe('Days after which a backup is removed.'),
      })
      .prefault({})
      .describe('Backups of replaced files.'),
    limits: z
      .array(limitSchema)
      .default([{ counter: 'writes', window: 'minute', max: 30, scope: 'grant' }])
      .describe('Number of files that may be written per time window.'),
  })
  .prefault({})
  .describe('Limits on files that are written.');

const verifySchema = z
  .strictObject({
    mode: verifyModeSchema
      .default('require')
      .describe(
        '`require` runs a test and writes it only if it passes, `report` writes it and reports the result, `off` does not run it.',
      ),
    runs: z.int().min(1).max(100).default(1).describe('Number of consecutive passes that a test needs.'),
    timeoutMs: milliseconds
      .default(60_000)
      .describe('Timeout for each run of a test, in milliseconds. Runs of one call share the sum.'),
    sensitivity: z
      .enum(['quick', 'full', 'off'])
      .default('quick')
      .describe(
        'Measures what a test would catch: `quick` runs it with JavaScript disabled if a change of the page is not asserted, `full` also runs it without each of its steps in turn.',
      ),
    enforce: z.boolean().default(false).describe('Reject calls that ask for less than `mode`.'),
  })
  .prefault({})
  .describe('Running a test before it is written.');

const secretNameSchema = environmentName('SHOP_PASSWORD');

const secretsSchema = z
  .array(
    z.union([
      secretNameSchema,
      z.strictObject({
        name: secretNameSchema.describe('Name of an environment variable of the server.'),
        origins: z
          .array(originSuchAs('https://shop.example'))
          .min(1)
          .describe('The only origins that may receive its value.'),
      }),
    ]),
  )
  .default([])
  .describe(
    'Environment variables that `{{secret:NAME}}` may refer to. Pages and tests receive their values; files and results do not.',
  );

/** `codegen.config.json`. Unknown keys are errors, and what is left out has its default. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('JSON Schema of this file, for editors.'),
    output: outputSchema,
    browser: browserSchema,
    network: networkSchema,
    writes: writesSchema,
    autoAssert: z
      .boolean()
      .default(true)
      .describe('Assert the visible effect of each recorded step; a session can override it.'),
    verify: verifySchema,
    policy: policyOrPath
      .default({ version: '1', default: 'allow', enforce: true, hide: [], tools: {} })
      .describe(
        'Which tools may be called, and how often: a policy, or the path of a JSON or YAML file with one.',
      ),
    state: z
      .strictObject({
        dir: directorySchema
          .default('.codegen')
          .describe(
            'Directory of counters, backups and saved sessions, relative to the workspace or absolute; each machine needs its own.',
          ),
        url: redisUrl
          .nullable()
          .default(null)
          .describe(
            '`redis://` or `rediss://` URL of the Redis that keeps limits, approvals and the order of the log for several machines; null keeps them in `state.dir`.',
          ),
        prefix: z
          .string()
          .regex(/^[\w.-]{1,100}$/, 'expected letters, digits, ".", "-" and "_"')
          .default('codegen')
          .describe('Prefix of keys in Redis; servers with the same prefix share their state.'),
        failMode: z
          .enum(['closed', 'open'])
          .default('closed')
          .describe(
            'What happens to calls with a limit if the state is unavailable: `closed` rejects them, `open` runs them uncounted.',
          ),
      })
      .prefault({})
      .describe('The state that the server keeps.'),
    secrets: secretsSchema,
    http: httpSchema,
    webhook: webhookSchema,
    grants: z
      .array(grantSchema)
      .default([])
      .describe('Who may call over HTTP. Each grant has a bearer token and can have settings of its own.'),
    ui: uiSchema,
  })
  .check(({ value, issues }) => {
    if (!canHoldRules(value))
      issues.push({
        code: 'custom',
        input: value,
        path: ['network'],
        message:
          'network rules apply only to browsers of this server; remove them, or browser.attach and browser.endpoint if that names another machine',
      });
    for (const conflict of [...conflictsOf(value), ...operatorConflicts(value)])
      issues.push({ code: 'custom', input: value, ...conflict });
  });

type Document = z.infer<typeof configSchema>;

/** The configuration of a server; every key is set. Policies are kept apart: those given as paths have been read. */
export type Config = Omit<Document, '$schema' | 'policy' | 'grants'> & {
  grants: Omit<Document['grants'][number], 'policy'>[];
};

/** Whether what pages may reach can be held: pages of another machine, or of a person's browser, don't pass our proxies. */
function canHoldRules({ browser, network }: Pick<Document, 'browser' | 'network'>): boolean {
  const isFree = network.allowedOrigins.includes('*') && network.blockedOrigins.length === 0;
  if (browser.attach !== null) return isFree;
  return isFree || [browser.endpoint ?? []].flat().every((url) => isThisMachine(new URL(url).hostname));
}
