import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createConfigSource, loadConfig } from '../../src/config/load.js';
import { policyOf } from '../guard/workspace.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const allowAll = { version: '1', default: 'allow', hide: [], tools: {} };
const denyAll = { version: '1', default: 'deny' };

/** A workspace of this test alone, with these files in it. */
async function workspaceWith(files: Record<string, string>, directory = 'workspace'): Promise<string> {
  const workspace = test.info().outputPath(directory);
  await mkdir(workspace, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(workspace, name)), { recursive: true });
    await writeFile(path.join(workspace, name), text);
  }
  return workspace;
}

/** Loads a configuration with this text, which must be refused; gives the message without the directory. */
async function refusal(text: string, files: Record<string, string> = {}): Promise<string> {
  const workspace = await workspaceWith({ ...files, 'codegen.config.json': text });
  const failure: unknown = await loadConfig({ workspace }).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 'CONFIG_INVALID', hint: expect.stringContaining('doctor') });
  return failure instanceof Error ? failure.message.replaceAll(workspace + path.sep, '') : '';
}

test('without a file every key has its default', async () => {
  const workspace = await workspaceWith({});
  expect(await loadConfig({ workspace })).toEqual({
    configFile: null,
    policy: policyOf(allowAll),
    policies: new Map(),
    config: {
      output: {
        dir: 'generated-tests',
        language: 'typescript',
        template: 'plain',
        templatesDir: null,
        includeComments: true,
        importTestFrom: null,
        pageObjectsDir: null,
        maxAnswerBytes: 16_000,
      },
      browser: {
        name: 'chromium',
        headless: true,
        channel: null,
        executablePath: null,
        endpoint: null,
        attach: null,
        clientCertificates: [],
        maxSessions: 8,
        maxPagesPerSession: 20,
        idleTimeoutMs: 900_000,
        actionTimeoutMs: 5000,
        navigationTimeoutMs: 30_000,
        use: {},
      },
      writes: {
        overwrite: 'generated',
        maxFileBytes: 262_144,
        maxFilesPerSession: 20,
        maxBytesPerSession: 67_108_864,
        maxFilesPerDay: 2000,
        maxBytesPerDay: 1_073_741_824,
        maxFilesInDirectory: 20_000,
        maxBytesInDirectory: 1_073_741_824,
        backups: { maxFiles: 500, maxAgeDays: 90 },
        limits: [{ counter: 'writes', window: 'minute', max: 30, scope: 'grant' }],
      },
      network: { allowedOrigins: ['*'], blockedOrigins: [] },
      secrets: [],
      autoAssert: true,
      verify: { mode: 'require', runs: 1, timeoutMs: 60_000, sensitivity: 'quick', enforce: false },
      state: { dir: '.codegen', failMode: 'closed', url: null, prefix: 'codegen' },
      http: { tls: null, allowedHosts: [], allowedOrigins: [] },
      grants: [],
      ui: { port: null, operators: [] },
      webhook: null,
    },
  });
});

const places = new Rows();
for (const [what, files, output] of [
  [
    'testDir, in the language of its specs',
    { 'playwright.config.js': "module.exports = { testDir: './e2e' };", 'e2e/deep/opens.test.js': '' },
    { dir: 'e2e', language: 'javascript' },
  ],
  [
    'testDir, whose specs are not all JavaScript',
    {
      'playwright.config.ts': 'export default { "testDir": "e2e/" }',
      'e2e/a.spec.js': '',
      'e2e/b.spec.ts': '',
    },
    { dir: 'e2e', language: 'typescript' },
  ],
  [
    'what contains those of its projects',
    {
      'playwright.config.ts':
        "export default { projects: [{ testDir: 'e2e/web' }, { testDir: './e2e/app' }] }",
    },
    { dir: 'e2e', language: 'typescript' },
  ],
  [
    'what the configuration says',
    {
      'playwright.config.ts': "export default { testDir: 'e2e' }",
      'codegen.config.json': '{ "output": { "language": "javascript" } }',
    },
    { dir: 'e2e', language: 'javascript' },
  ],
  [
    'the configured directory',
    {
      'playwright.config.ts': "export default { testDir: 'e2e' }",
      'codegen.config.json': '{ "output": { "dir": "generated-tests" } }',
    },
    { dir: 'generated-tests' },
  ],
  [
    'the directory that already exists',
    { 'playwright.config.ts': "export default { testDir: 'e2e' }", 'generated-tests/a.spec.ts': '' },
    { dir: 'generated-tests' },
  ],
  [
    'the default for grants',
    {
      'playwright.config.ts': "export default { testDir: 'e2e' }",
      'codegen.config.json': '{ "grants": [{ "name": "ann", "tokenEnv": "ANN" }] }',
    },
    { dir: 'generated-tests' },
  ],
  ...[
    '{ testDir: dir }',
    "{ projects: [{ testDir: 'a' }, { testDir: 'b' }] }",
    "{ projects: [{ name: 'setup', testDir: 'a' }, {}] }",
    "{ testDir: '.' }",
    "{ testDir: '../elsewhere' }",
    "{ testDir: '.hidden' }",
    "{\n  // testDir: 'e2e',\n}",
  ].map(
    (text) =>
      [
        `the default if the project has ${text}`,
        { 'playwright.config.ts': `export default ${text};` },
        { dir: 'generated-tests', language: 'typescript' },
      ] as const,
  ),
] as const)
  places.add(`tests go to ${what}`, async () => {
    const workspace = await workspaceWith(files, randomUUID());
    expect((await loadConfig({ workspace })).config.output).toMatchObject(output);
  });
test('tests go where the configuration or the project says', () => places.check());

test('comments, trailing commas and a byte order mark are read', async () => {
  const workspace = await workspaceWith({
    'codegen.config.json': '\uFEFF{ // what for\n "browser": { "maxSessions": 3, /* more */ }, }',
  });
  const { config, configFile } = await loadConfig({ workspace });
  expect(config.browser.maxSessions).toBe(3);
  expect(config.browser.actionTimeoutMs).toBe(5000);
  expect(configFile).toBe(path.join(workspace, 'codegen.config.json'));
});

test('a configuration named on the command line must exist', async () => {
  const workspace = await workspaceWith({ 'other/my.json': '{ "state": { "dir": "elsewhere" } }' });
  const { config } = await loadConfig({ workspace, configPath: 'other/my.json' });
  expect(config.state.dir).toBe('elsewhere');
  await expect(loadConfig({ workspace, configPath: 'missing.json' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('missing.json'),
    hint: expect.stringContaining('init'),
  });
});

test('the policy is read from JSON or YAML beside the configuration', async () => {
  const workspace = await workspaceWith({
    'conf/a.json': '{ "policy": "policy.yaml" }',
    'conf/policy.yaml':
      'version: "1"\ndefault: deny\ntools:\n  end_codegen_session:\n    rate_limit: { max: 30, window: minute }\n',
    'conf/b.json': '{ "policy": "../policy.json" }',
    'policy.json': '{ "version": "1", "default": "deny", /* all */ }',
  });
  expect((await loadConfig({ workspace, configPath: 'conf/a.json' })).policy).toEqual({
    ...policyOf({
      ...denyAll,
      tools: { end_codegen_session: { rate_limit: { max: 30, window: 'minute' } } },
    }),
    file: path.join(workspace, 'conf', 'policy.yaml'),
  });
  expect((await loadConfig({ workspace, configPath: 'conf/b.json' })).policy).toEqual({
    ...policyOf(denyAll),
    file: path.join(workspace, 'policy.json'),
  });
});

test('invalid JSON is rejected with line and column', async () => {
  expect(await refusal('{\n  "browser": {\n    "headless" true\n  }\n}')).toBe(
    'codegen.config.json:3:16: not JSON: colon expected',
  );
  expect(await refusal('')).toBe('codegen.config.json:1:1: not JSON: value expected');
});

const refused = new Rows();
for (const [text, message] of [
  [
    '{ "browser": { "maxSesions": 3 } }',
    'browser.maxSesions is 3: unknown key. Did you mean "maxSessions"? Allowed: name, ',
  ],
  [
    '{ "browsers": {} }',
    'browsers is {}: unknown key. Did you mean "browser"? Allowed: $schema, output, browser, ',
  ],
  [
    '{ "browser": { "use": { "viewPort": null } } }',
    'browser.use.viewPort is null: unknown key. Did you mean "viewport"?',
  ],
  ['{ "browser": { "maxSessions": "8" } }', 'browser.maxSessions is "8": expected number, received string'],
  // No answer fits into it.
  ['{ "output": { "maxAnswerBytes": 100 } }', 'output.maxAnswerBytes is 100: expected number to be >=2000'],
  ['{ "browser": { "idleTimeoutMs": 0 } }', 'browser.idleTimeoutMs is 0: expected number to be >=1'],
  [
    '{ "writes": { "overwrite": "allways" } }',
    'writes.overwrite is "allways": expected one of "never"|"generated"|"always"',
  ],
  [
    '{ "output": { "dir": "../elsewhere" } }',
    'output.dir is "../elsewhere": expected a path inside the workspace',
  ],
  ['{ "output": { "dir": "/tmp" } }', 'output.dir is "/tmp": expected a path inside the workspace'],
  ['{ "policy": { "version": "2", "default": "deny" } }', 'policy.version is "2": expected "1"'],
  [
    '{ "policy": { "version": "1", "default": "deny", "tool": {} } }',
    'policy.tool is {}: unknown key. Did you mean "tools"?',
  ],
  ['{ "policy": 7 }', 'policy is 7: expected a policy, or the path of a file with one'],
  [
    '{ "writes": { "limits": [{ "counter": "writes", "window": "fortnight", "max": 1 }] } }',
    'writes.limits.0.window is "fortnight": expected second, minute, hour, day or a whole number of seconds',
  ],
  [
    '{ "policy": { "version": "1", "default": "deny", "tools": { "a": { "require": [{ "path": "file", "op": "exists" }] } } } }',
    'policy.tools.a.require.0.path is "file": expected a path below args',
  ],
  [
    '{ "policy": { "version": "1", "default": "deny", "tools": { "a": { "require": [{ "path": "args.a", "op": "is" }] } } } }',
    'policy.tools.a.require.0.op is "is": expected one of eq, neq, in, not_in, lt, lte, gt, gte, regex, contains, exists',
  ],
  [
    '{ "policy": { "version": "1", "default": "deny", "tools": { "a": { "action": "ask" } } } }',
    'policy.tools.a.action is "ask": expected one of "allow"|"deny"|"require_approval"',
  ],
  ['[]', 'the document is []: expected object, received array'],
] as const)
  refused.add(`refuses ${text}`, async () => {
    expect(await refusal(text)).toContain(`codegen.config.json: ${message}`);
  });
test('a mistake is refused, with its place and what is allowed', () => refused.check());

test('a long value is shortened, and every mistake is named', async () => {
  const lines = (
    await refusal(`{ "output": { "language": "${'x'.repeat(500)}" }, "state": { "dirs": 1 } }`)
  ).split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^codegen\.config\.json: output\.language is "x{59}…: expected one of/);
  expect(lines[1]).toContain('state.dirs is 1: unknown key. Did you mean "dir"? Allowed: dir');
});

test('a mistake in a separate policy file names that file', async () => {
  const config = '{ "policy": "policy.yaml" }';
  expect(await refusal(config, { 'policy.yaml': 'version: "1"\ndefault: maybe\n' })).toContain(
    'policy.yaml: default is "maybe": expected one of "allow"|"deny"',
  );
  expect(await refusal(config, { 'policy.yaml': 'version: "1"\ndefault: [deny\n' })).toMatch(
    /^policy\.yaml: not YAML: .* at line \d+, column \d+$/,
  );
});

test('a missing policy file is rejected', async () => {
  const workspace = await workspaceWith({ 'codegen.config.json': '{ "policy": "nowhere.json" }' });
  await expect(loadConfig({ workspace })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('nowhere.json: there is no such policy'),
  });
});

test.describe('a source', () => {
  let said: string[];

  test.beforeEach(() => {
    said = [];
    Object.defineProperty(process.stderr, 'write', {
      configurable: true,
      value: (text: string) => said.push(text) > 0,
    });
  });

  test.afterEach(() => {
    Reflect.deleteProperty(process.stderr, 'write');
  });

  test('follows the configuration, from the moment it is made', async () => {
    const workspace = await workspaceWith({});
    const source = await createConfigSource({ workspace });
    expect((await source.current()).config.browser.maxSessions).toBe(8);
    await workspaceWith({ 'codegen.config.json': '{ "browser": { "maxSessions": 2 } }' });
    expect((await source.current()).config.browser.maxSessions).toBe(2);
    await workspaceWith({ 'codegen.config.json': '{ "browser": { "maxSessions": 10 } }' });
    expect((await source.current()).config.browser.maxSessions).toBe(10);
    expect(said).toEqual([]);
  });

  test('notices a replacement of the same size', async () => {
    const workspace = await workspaceWith({ 'codegen.config.json': '{ "browser": { "maxSessions": 2 } }' });
    const source = await createConfigSource({ workspace });
    await workspaceWith({ 'new.json': '{ "browser": { "maxSessions": 3 } }' });
    await rename(path.join(workspace, 'new.json'), path.join(workspace, 'codegen.config.json'));
    expect((await source.current()).config.browser.maxSessions).toBe(3);
  });

  test('reads nothing again if nothing changed', async () => {
    const workspace = await workspaceWith({ 'codegen.config.json': '{}' });
    const source = await createConfigSource({ workspace });
    expect(await source.current()).toBe(await source.current());
  });

  test('keeps the last good one through a broken change, and says so once', async () => {
    const workspace = await workspaceWith({ 'codegen.config.json': '{ "browser": { "maxSessions": 2 } }' });
    const source = await createConfigSource({ workspace });
    await workspaceWith({ 'codegen.config.json': '{ "browser": { "maxSessions": 0 } }' });
    const [one, other] = await Promise.all([source.current(), source.current()]);
    expect(one.config.browser.maxSessions).toBe(2);
    expect(other).toBe(one);
    expect(source.problem).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('maxSessions is 0'),
    });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/maxSessions is 0.*\nThe last valid configuration stays in effect\.\n$/);

    await workspaceWith({ 'codegen.config.json': '{ "browser": { "maxSessions": 11 } }' });
    expect((await source.current()).config.browser.maxSessions).toBe(11);
    expect(source.problem).toBeUndefined();
  });

  test('keeps the last good one if the file vanishes: defaults could allow what it denied', async () => {
    const workspace = await workspaceWith({ 'codegen.config.json': JSON.stringify({ policy: denyAll }) });
    const source = await createConfigSource({ workspace });
    await rm(path.join(workspace, 'codegen.config.json'));
    expect((await source.current()).policy.default).toBe('deny');
    expect(source.problem?.message).toContain('there is no such file');
  });

  test('follows a separate policy file, also out of a broken state', async () => {
    const workspace = await workspaceWith({
      'codegen.config.json': '{ "policy": "policy.json" }',
      'policy.json': JSON.stringify(denyAll),
    });
    const source = await createConfigSource({ workspace });
    await workspaceWith({ 'policy.json': '{' });
    expect((await source.current()).policy.default).toBe('deny');
    expect(source.problem?.message).toContain('policy.json:1:2');
    await workspaceWith({ 'policy.json': JSON.stringify(allowAll) });
    expect((await source.current()).policy.default).toBe('allow');
  });

  test('does not start on a broken configuration', async () => {
    const workspace = await workspaceWith({ 'codegen.config.json': '{ "policy": 1 }' });
    await expect(createConfigSource({ workspace })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
