import { z } from 'zod';
import { limitSchema } from '../model/policy.js';
import { browserNameSchema, useSchema } from '../model/use.js';
import { isThisMachine } from '../network/address.js';
import { parsePattern } from '../network/rules.js';
import {
  browserUrl,
  directorySchema,
  environmentName,
  originSuchAs,
  outputDirectory,
  policyOrPath,
  redisUrl,
} from './fields.js';
import { conflictsOf, grantSchema, httpSchema } from './http-schema.js';

const milliseconds = z.int().min(1).max(86_400_000);

const amount = z.int().min(1);

/** What becomes of a test that does not pass; the strictest first. */
export const verifyModeSchema = z.enum(['require', 'report', 'off']);

const outputSchema = z
  .strictObject({
    dir: outputDirectory
      .default('generated-tests')
      .describe('Directory of emitted tests, relative to the workspace.'),
    language: z
      .enum(['typescript', 'javascript'])
      .default('typescript')
      .describe('Language of emitted tests.'),
    template: z
      .string()
      .min(1)
      .max(100)
      .default('plain')
      .describe(
        'How tests are written: `plain`, `pom` (with page objects) or the name of a template of your own.',
      ),
    templatesDir: directorySchema
      .nullable()
      .default(null)
      .describe('Directory of templates of your own, relative to the workspace: `<name>.eta` for each.'),
    includeComments: z.boolean().default(true).describe('Write the notes of steps as comments.'),
  })
  .prefault({})
  .describe('What is emitted, and where.');

const browserSchema = z
  .strictObject({
    name: browserNameSchema.default('chromium').describe('Engine that runs sessions.'),
    headless: z.boolean().default(true).describe('Run without a window.'),
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
      .describe('Installed browser to use; null takes the first one found.'),
    executablePath: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Browser executable to use instead of one that is found.'),
    endpoint: z
      .union([browserUrl, z.array(browserUrl).min(1)], {
        error:
          'expected the URL of a Playwright server (ws://) or of a Chromium (http://, wss://), or a list of them',
      })
      .nullable()
      .default(null)
      .describe(
        'Browsers that are up already, by URL, or a list of them: a Playwright server (`ws://`) or a CDP endpoint (`http://`, `wss://`); null starts one.',
      ),
    maxSessions: z.int().min(1).max(100).default(8).describe('Sessions that may be open at once.'),
    idleTimeoutMs: milliseconds
      .default(900_000)
      .describe('Milliseconds without a call after which a session closes.'),
    actionTimeoutMs: milliseconds
      .default(5000)
      .describe('Milliseconds that an action or assertion may wait for its element.'),
    navigationTimeoutMs: milliseconds.default(30_000).describe('Milliseconds that a navigation may take.'),
    use: useSchema
      .default({})
      .describe("Playwright Test's `use` for every session; a session's own `use` goes before it."),
  })
  .prefault({})
  .describe('The browser that sessions run in.');

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
      .describe('What pages may reach; nothing else answers them. Cloud metadata has to be named here.'),
    blockedOrigins: origins.default([]).describe('What they may not reach, though it is allowed.'),
  })
  .prefault({})
  .describe('Where requests of pages may go: a `*`, origins, hosts.');

const writesSchema = z
  .strictObject({
    overwrite: z
      .enum(['never', 'generated', 'always'])
      .default('generated')
      .describe(
        'The most that a call may replace: nothing; files emitted by this tool and not edited since; anything.',
      ),
    maxFileBytes: amount.default(262_144).describe('Largest file that may be written, in bytes.'),
    maxFilesPerSession: amount.default(20).describe('Files that one session may write.'),
    maxBytesPerSession: amount.default(67_108_864).describe('Bytes that one session may write.'),
    maxFilesPerDay: amount.default(2_000).describe('Files that all sessions may write within 24 hours.'),
    maxBytesPerDay: amount
      .default(1_073_741_824)
      .describe('Bytes that all sessions may write within 24 hours.'),
    maxFilesInDirectory: amount
      .default(20_000)
      .describe('Files up to which the output directory, with all below it, may be filled.'),
    maxBytesInDirectory: amount
      .default(1_073_741_824)
      .describe('Bytes up to which the output directory, with all below it, may be filled.'),
    backups: z
      .strictObject({
        maxFiles: amount.default(500).describe('Replaced files that are kept; older ones give way.'),
        maxAgeDays: amount.default(90).describe('Days after which a replaced file is no longer kept.'),
      })
      .prefault({})
      .describe('What is kept of files that were replaced.'),
    limits: z
      .array(limitSchema)
      .default([{ counter: 'writes', window: 'minute', max: 30, scope: 'grant' }])
      .describe('How many files may be written in a window of time.'),
  })
  .prefault({})
  .describe('What may be written to disk.');

const verifySchema = z
  .strictObject({
    mode: verifyModeSchema
      .default('require')
      .describe(
        'Before a test is written it is run: `require` writes it only if it passes, `report` says whether it did, `off` runs nothing.',
      ),
    runs: z.int().min(1).max(100).default(1).describe('Passes in a row that a test has to show.'),
    timeoutMs: milliseconds
      .default(60_000)
      .describe('Milliseconds for all runs of one verification, and for a call of run_generated_test.'),
    sensitivity: z
      .enum(['quick', 'full', 'off'])
      .default('quick')
      .describe(
        'What a test would catch: `quick` runs it once without JavaScript, `full` also without each of its steps.',
      ),
    enforce: z.boolean().default(false).describe('Refuse calls that ask for less than `mode`.'),
  })
  .prefault({})
  .describe('The run of a test before it is written.');

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
          .describe('The only origins that get its value.'),
      }),
    ]),
  )
  .default([])
  .describe(
    'Environment variables whose values `{{secret:NAME}}` stands for: pages and tests get them, and no file or result.',
  );

/** `codegen.config.json`. Unknown keys are errors, and what is left out has its default. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where editors find the JSON Schema of this file.'),
    output: outputSchema,
    browser: browserSchema,
    network: networkSchema,
    writes: writesSchema,
    autoAssert: z
      .boolean()
      .default(true)
      .describe('Assert what each recorded step visibly did, unless a session says otherwise.'),
    verify: verifySchema,
    policy: policyOrPath
      .default({ version: '1', default: 'allow', hide: [], tools: {} })
      .describe('What may be called, and how often: a policy, or the path of a JSON or YAML file with one.'),
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
            'Redis that keeps limits, approvals and the order of the log for servers on several machines, as a `redis://` or `rediss://` URL; null keeps them in `state.dir`.',
          ),
        prefix: z
          .string()
          .regex(/^[\w.-]{1,100}$/, 'expected letters, digits, ".", "-" and "_"')
          .default('codegen')
          .describe('What keys in Redis begin with: servers with the same one share their state.'),
        failMode: z
          .enum(['closed', 'open'])
          .default('closed')
          .describe(
            'What becomes of calls that a limit covers where the state cannot be reached: `closed` refuses them, `open` lets them run uncounted.',
          ),
      })
      .prefault({})
      .describe('What the server keeps.'),
    secrets: secretsSchema,
    http: httpSchema,
    grants: z
      .array(grantSchema)
      .default([])
      .describe('Who may call over HTTP: each has a bearer token, and what holds for it alone.'),
  })
  .check(({ value, issues }) => {
    if (!canHoldRules(value))
      issues.push({
        code: 'custom',
        input: value,
        path: ['network'],
        message:
          'rules of the network hold for browsers of this machine alone, and browser.endpoint names another; leave out one of the two',
      });
    for (const conflict of conflictsOf(value)) issues.push({ code: 'custom', input: value, ...conflict });
  });

type Document = z.infer<typeof configSchema>;

/** The configuration of a server; every key is set. Policies are kept apart: those given as paths have been read. */
export type Config = Omit<Document, '$schema' | 'policy' | 'grants'> & {
  grants: Omit<Document['grants'][number], 'policy'>[];
};

/** Whether what pages may reach can be held: pages of another machine don't pass the proxies of this one. */
function canHoldRules({ browser, network }: Pick<Document, 'browser' | 'network'>): boolean {
  const isFree = network.allowedOrigins.includes('*') && network.blockedOrigins.length === 0;
  return isFree || [browser.endpoint ?? []].flat().every((url) => isThisMachine(new URL(url).hostname));
}
