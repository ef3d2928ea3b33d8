import path from 'node:path';
import type { PlaywrightTestConfig } from '@playwright/test';
import { childEnvironment } from '../../src/verify/environment.js';
import { planSchema, type Lane, type ParsedPlan } from '../../src/verify/plan.js';
import { wrapConfig } from '../../src/verify/wrap-config.js';
import { expect, test } from '../fixtures.js';

const staged = '/project/.codegen/verify/1-a/test/0/a.spec.ts';
const final = '/project/generated-tests/a.spec.ts';
const chromium = { executablePath: '/chrome', chromiumSandbox: true, args: ['--ours'] };

const proxy = { server: 'socks5://127.0.0.1:1080', bypass: '<-loopback>' };

function planOf(lane: Partial<Lane> = {}, ...more: Lane[]): ParsedPlan {
  const first: Lane = {
    name: 'test',
    files: [{ file: staged, as: final }],
    browserName: 'chromium',
    headless: true,
    ...lane,
  };
  return planSchema.parse({
    workspace: '/project',
    chromium,
    proxy,
    lanes: [first, ...more],
    reportFile: '/project/.codegen/verify/1-a/report.json',
  });
}

/** The first project, which is that of the tests. */
function projectOf(
  config: PlaywrightTestConfig,
  lane: Partial<Lane> = {},
): NonNullable<PlaywrightTestConfig['projects']>[number] {
  const [project] = wrapConfig(config, planOf(lane)).projects ?? [];
  if (project === undefined) throw new Error('There is no project.');
  return project;
}

function isCovered(config: PlaywrightTestConfig): unknown {
  return projectOf(config).metadata?.['codegen-session-mcp'];
}

test('a test that replays a HAR has no network, but what its project depends on does', () => {
  const projects = [
    { name: 'setup', testMatch: 'none' },
    { name: 'main', dependencies: ['setup'] },
  ];
  const { projects: wrapped = [] } = wrapConfig({ projects }, planOf({ offline: true }));
  expect(wrapped.map(({ name, use }) => [name, use?.proxy])).toEqual([
    ['main', { server: 'socks5://127.0.0.1:9', bypass: '<-loopback>' }],
    ['setup', proxy],
  ]);
});

test('a file belongs to the project as which Playwright Test would run it', () => {
  for (const config of [
    {},
    { testDir: 'generated-tests' },
    { testDir: './' },
    { testDir: '/project' },
    { testMatch: '*.spec.ts' },
    { testMatch: 'generated-tests/*.spec.ts' },
    { testMatch: '**/GENERATED-*/a.spec.{ts,js}' },
    { testMatch: [/none/, /tests.a\.spec/g] },
    { testIgnore: 'a.spec.js' },
    { projects: [{ testDir: 'e2e' }, { testDir: 'generated-tests' }] },
    { testDir: 'e2e', projects: [{ testDir: 'generated-tests' }] },
    { testMatch: 'none', projects: [{ testMatch: '*.ts' }] },
  ])
    expect(isCovered(config), JSON.stringify(config)).toEqual({ lane: 'test', covered: true });
  for (const config of [
    { testDir: 'e2e' },
    { testDir: 'generated' },
    { testMatch: '*.test.ts' },
    { testMatch: 'a.spec' },
    { testMatch: [/\.e2e\./] },
    { testIgnore: '**/generated-tests/**' },
    { testIgnore: [/a\.spec/] },
    { projects: [] },
    { projects: [{ testDir: 'e2e' }, { testIgnore: '*.spec.ts' }] },
  ])
    expect(isCovered(config), JSON.stringify(config)).toEqual({ lane: 'test', covered: false });
});

test('of several projects that cover a file, the one with the browser of the session runs it', () => {
  const use = { locale: 'de-DE' };
  const projects = [
    { name: 'elsewhere', testDir: 'e2e' },
    { name: 'webkit', use: { defaultBrowserType: 'webkit' as const } },
    { name: 'chromium', use: { browserName: 'chromium' as const } },
  ];
  const project = projectOf({ use, projects });
  expect(project).toMatchObject({
    name: 'chromium',
    use: { ...use, browserName: 'chromium', headless: true },
  });
  expect(projectOf({ projects }, { browserName: 'webkit' })).toMatchObject({ name: 'webkit' });
  // None has it: the first that covers the file, in the browser of the session.
  const firefox = projectOf({ projects }, { browserName: 'firefox' });
  expect(firefox).toMatchObject({ name: 'webkit', use: { browserName: 'firefox' } });
  expect(firefox.use).not.toHaveProperty('launchOptions.executablePath');
});

test("only the staged file runs, once, whatever the configuration's retries and filters are", () => {
  const config = {
    retries: 2,
    repeatEach: 3,
    grep: /@smoke/,
    grepInvert: /a/,
    forbidOnly: true,
    shard: { current: 1, total: 2 },
  };
  const wrapped = wrapConfig({ ...config, reporter: 'html', maxFailures: 1 }, planOf());
  expect(wrapped).toMatchObject({ forbidOnly: false, shard: null, maxFailures: 0 });
  expect(JSON.stringify(wrapped.reporter)).toContain('reporter.js');
  const [project] = wrapped.projects ?? [];
  expect(project).toMatchObject({
    retries: 0,
    repeatEach: 1,
    grep: /.*/,
    grepInvert: [],
    testDir: '/project/.codegen/verify/1-a/test/0',
    testIgnore: [],
  });
  const [pattern] = [project?.testMatch ?? []].flat();
  expect(staged).toMatch(pattern ?? '');
  expect(staged.replace('.spec', '_spec')).not.toMatch(pattern ?? '');
});

test('time-outs are those of the configuration, or shorter', () => {
  const limits = { action: 1000, navigation: 2000, expect: 3000, test: 4000 };
  expect(projectOf({}, { limits })).toMatchObject({
    timeout: 4000,
    expect: { timeout: 3000 },
    use: { actionTimeout: 1000, navigationTimeout: 2000 },
  });
  const own = { timeout: 100, expect: { timeout: 200 }, use: { actionTimeout: 300, navigationTimeout: 0 } };
  expect(projectOf(own, { limits })).toMatchObject({
    timeout: 100,
    expect: { timeout: 200 },
    use: { actionTimeout: 300, navigationTimeout: 2000 },
  });
  expect(projectOf(own)).toMatchObject({ ...own, use: { actionTimeout: 300, navigationTimeout: 0 } });
});

test("the browser is the session's, with the configuration's additions", () => {
  const other = { server: 'http://other:3128' };
  const launchOptions = { slowMo: 5, args: ['--theirs'], executablePath: '/other', proxy: other };
  const { use } = projectOf({ use: { launchOptions, proxy: other } });
  expect(use?.launchOptions).toEqual({
    slowMo: 5,
    executablePath: '/chrome',
    chromiumSandbox: true,
    args: ['--theirs', '--ours'],
    proxy,
  });
  expect(use?.proxy).toEqual(proxy);
  expect(projectOf({}, { javaScriptEnabled: false }).use).toMatchObject({ javaScriptEnabled: false });
});

test("a project's dependencies run once, unchanged", () => {
  const config: PlaywrightTestConfig = {
    projects: [
      { name: 'sign in', testDir: 'setup', dependencies: ['seed'], teardown: 'sweep' },
      { name: 'seed', testMatch: '*.seed.ts', use: { browserName: 'firefox' } },
      { name: 'sweep', testMatch: '*.sweep.ts' },
      { name: 'unrelated', testDir: 'other' },
      { name: 'all', testDir: 'generated-tests', dependencies: ['sign in'] },
    ],
  };
  const bare: Lane = {
    ...planOf().lanes[0],
    name: 'bare',
    files: [{ file: '/project/b.spec.ts', as: final }],
    browserName: 'chromium',
    headless: true,
  };
  const { projects = [] } = wrapConfig(config, planOf({}, bare));
  expect(projects.map(({ name }) => name)).toEqual(['all', 'all bare', 'sign in', 'seed', 'sweep']);
  expect(projects[2]).toMatchObject({
    testDir: '/project/setup',
    use: { proxy, launchOptions: { ...chromium, proxy } },
  });
  expect(projects[3]?.use).toEqual({ browserName: 'firefox', proxy, launchOptions: { proxy } });
});

test('relative paths of the configuration resolve to the same files', () => {
  const stylePath = './hide.css';
  const wrapped = wrapConfig(
    {
      snapshotDir: './shots',
      tsconfig: './tsconfig.e2e.json',
      expect: { timeout: 100, toHaveScreenshot: { stylePath } },
      webServer: [
        { command: 'npm start', url: 'http://127.0.0.1:1' },
        { command: 'x', cwd: 'api' },
      ],
    },
    planOf(),
  );
  expect(wrapped).toMatchObject({
    testDir: '/project',
    snapshotDir: '/project/shots',
    tsconfig: '/project/tsconfig.e2e.json',
    expect: { timeout: 100, toHaveScreenshot: { stylePath: ['/project/hide.css'] } },
    projects: [{ expect: { timeout: 100, toHaveScreenshot: { stylePath: ['/project/hide.css'] } } }],
    webServer: [
      { cwd: '/project', reuseExistingServer: true },
      { cwd: '/project/api', reuseExistingServer: true },
    ],
  });
});

test('a configuration that covers none of the files is ignored', () => {
  const config = {
    testDir: 'e2e',
    globalTimeout: 5,
    use: { locale: 'de-DE' },
    webServer: { command: 'npm start' },
  };
  const wrapped = wrapConfig(config, planOf());
  expect(wrapped.webServer).toEqual([]);
  expect(wrapped.use).toBeUndefined();
  expect(wrapped.projects?.[0]?.use).not.toHaveProperty('locale');
});

test('a child gets only what Node, Playwright and browsers need', () => {
  expect(
    childEnvironment({
      PATH: ['/bin', '.', '', 'node_modules/.bin', '/usr/bin'].join(path.delimiter),
      HOME: '/home/me',
      SHOP_PASSWORD: 'x',
      NODE_OPTIONS: '--x',
      AWS_SECRET: 'y',
    }),
  ).toEqual({ PATH: ['/bin', '/usr/bin'].join(path.delimiter), HOME: '/home/me' });
});
