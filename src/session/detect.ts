import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { LivePage } from '../browser/live-page.js';
import { callIsolated } from '../browser/isolated.js';
import { setTestIdAttribute } from '../browser/test-id.js';
import { defaults } from '../codegen/test-use.js';
import type { Config } from '../config/schema.js';
import { toJson, type Json } from '../model/json.js';
import { isInside, playwrightConfigNames } from '../model/paths.js';
import type { Secrets } from '../model/secrets.js';
import { browserNameSchema, useSchema, type BrowserName, type ProjectUse, type Use } from '../model/use.js';
import { within } from '../model/within.js';
import type { OwnPage } from '../codegen/own-pages.js';
import type { SpecPath } from './page-files.js';
import type { OpenSession, SessionPlan } from './session.js';
import type { SpecModule } from './spec-imports.js';

/** What a session detected in the project and the application; `source` is a file, or "page". */
export type Detected = Partial<
  Record<
    | ProjectOption
    | 'device'
    | 'storageState'
    | 'testDir'
    | 'importTestFrom'
    | 'pageObjectsDir'
    | 'pageObjects'
    | 'codeStyle'
    | 'specNames'
    | 'projects'
    | 'setup'
    | 'webServer',
    { value: Json; source: string }
  >
>;

/** Options that the project decides for its tests, and so for a session. */
const projectOptions = [
  ...([
    'testIdAttribute',
    'baseURL',
    'viewport',
    'locale',
    'timezoneId',
    'geolocation',
    'permissions',
  ] as const),
  ...([
    'colorScheme',
    'userAgent',
    'isMobile',
    'hasTouch',
    'deviceScaleFactor',
    'ignoreHTTPSErrors',
  ] as const),
] as const;
type ProjectOption = (typeof projectOptions)[number];

/** The parts of a session's plan to which detected values are added. */
export type Detectable = Pick<SessionPlan, 'use' | 'emission' | 'pageObjectsDir' | 'ownModules'>;

/** The browsers by their names. */
const browserTitles = { chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKit' };

/** Common test id attributes; of two that are equally frequent, the first is used. */
const testIdAttributes = ['data-testid', 'data-test', 'data-test-id', 'data-cy', 'data-qa', 'data-e2e'];
/** Minimum number of elements with the attribute. */
const minElements = 3;
/** Prettier options that are not reported. */
const prettierDefaults = new Map<string, Json>([
  ['semi', true],
  ['singleQuote', false],
  ['useTabs', false],
  ['tabWidth', 2],
  ['printWidth', 80],
]);
/** Limits of the search for Playwright projects in a workspace. */
const maxDepth = 3;
const maxDirectories = 200;
/** Maximum number of page objects that are reported. */
const maxPageObjects = 20;
/** Time-out for counting them in the page. */
const countMs = 1000;

/**
 * Sets what neither the call nor the server's configuration sets in the plan of a new session, from the workspace's own
 * Playwright configuration and specs.
 */
export async function detectProject(
  context: {
    workspace: string;
    config: () => Config;
    secrets: Secrets;
    guard: { checkReadable(file: string, options: { mayBeLogin: true }): Promise<{ absolute: string }> };
  },
  { use, emission, base }: Detectable & Pick<SessionPlan, 'base'>,
  file: SpecPath,
  signal: AbortSignal,
): Promise<{ plan: Detectable; detected: Detected; warnings: string[] }> {
  const { workspace, secrets } = context;
  const { askProject } = await import('../verify/project-use.js');
  const { browser, verify } = context.config();
  const recordedIn = use.browserName ?? browser.name;
  const { configFile, testDir, testDirs, isCovered, dependencies, projects, webServer, ...project } =
    await askProject(
      { workspace, file: file.absolute, browserName: recordedIn },
      { timeoutMs: verify.timeoutMs, signal },
    );
  if (configFile === undefined || testDir === undefined)
    return { plan: { use, emission }, detected: {}, warnings: await otherProjects(workspace) };
  const source = nameOf(workspace, configFile);
  const detected: Detected = { testDir: { value: nameOf(workspace, testDir), source } };
  if (isCovered && webServer !== undefined) detected.webServer = { value: webServer, source };
  if (projects.length > 0) detected.projects = { value: projects, source };
  if (dependencies.length > 0) detected.setup = { value: dependencies, source };
  const { found, shown } = await optionsOf(project.use, use, secrets);
  for (const [name, value] of Object.entries(shown)) Object.assign(detected, { [name]: { value, source } });
  const engine = browserNameSchema.safeParse(
    project.use['browserName'] ?? project.use['defaultBrowserType'],
  ).data;
  const isOther = engine !== undefined && engine !== recordedIn && use.browserName === undefined;
  const warnings = isOther ? [otherBrowser(engine, recordedIn, source)] : [];
  if (!isCovered && emission.setup !== true)
    warnings.push(notRun(source, file, testDirs.map((each) => nameOf(workspace, each)).join(' or ')));
  const { storageState } = project.use;
  // A spec that runs first has the login of the project.
  if (base === undefined && use.storageState === undefined && typeof storageState === 'string') {
    const isReadable = await context.guard.checkReadable(storageState, { mayBeLogin: true }).then(
      ({ absolute }) => existsSync(absolute),
      () => false,
    );
    if (isReadable) {
      found.storageState = storageState;
      detected.storageState = { value: storageState, source };
    } else warnings.push(missingLogin(storageState, source, dependencies));
  }
  const plan: { -readonly [Part in keyof Detectable]: Detectable[Part] } = {
    use: { ...use, ...found },
    emission,
  };
  if (isCovered) {
    const pages = await pageObjectsOf(context, testDir);
    Object.assign(plan, { pageObjectsDir: pages.directory, ownModules: pages.modules });
    Object.assign(detected, pages.detected);
    warnings.push(...pages.warnings);
  }
  const { codeStyleOf } = await import('./code-style.js');
  const style = await codeStyleOf(workspace, {
    spec: file.absolute,
    directory: isCovered ? testDir : path.dirname(file.absolute),
  });
  if (style !== undefined) {
    const { options, commonJs, importEnding, isConfigured, source: from, ...order } = style;
    const imports = { ...(commonJs && { commonJs }), ...(importEnding && { importEnding }), ...order };
    const value = Object.entries({ ...options, ...imports }).filter(
      ([name, option]) => !isDeepStrictEqual(option, prettierDefaults.get(name)),
    );
    if (value.length > 0) detected.codeStyle = { value: toJson(Object.fromEntries(value)), source: from };
  }
  const isDecided = emission.importTestFrom !== undefined || emission.setup === true;
  if (isDecided || !isCovered || !isInside(workspace, testDir)) return { plan, detected, warnings };
  const { commonTestModule } = await import('../verify/common-test-module.js');
  const common = await commonTestModule(workspace, testDir);
  if (common === undefined) return { plan, detected, warnings };
  const { module, spec } = common;
  detected.importTestFrom = { value: module, source: nameOf(workspace, spec) };
  return { plan: { ...plan, emission: { ...emission, importTestFrom: module } }, detected, warnings };
}

/** The page objects of the project's people: their directory, unless the configuration names it, and how each is created. */
async function pageObjectsOf(
  { workspace, config }: { workspace: string; config: () => Config },
  testDir: string,
): Promise<{
  directory: string | undefined;
  modules: SpecModule[];
  detected: Detected;
  warnings: string[];
}> {
  const configured = config().output.pageObjectsDir;
  const { findPageObjects } = await import('./page-object-dir.js');
  const found = configured === null ? await findPageObjects(workspace, testDir) : undefined;
  const directory = configured ?? found?.directory;
  const { readOwnPageFiles } = await import('./page-files.js');
  const { importedBySpecs } = await import('./spec-imports.js');
  const modules = await importedBySpecs(workspace, testDir);
  const { pages, warnings } = await readOwnPageFiles(workspace, directory, modules);
  const value = pages.slice(0, maxPageObjects).map((page) => ({ code: createdBy(page), file: page.file }));
  return {
    directory: found?.directory,
    modules,
    detected: {
      ...(found && { pageObjectsDir: { value: found.directory, source: found.file } }),
      ...(value.length > 0 && {
        pageObjects: { value, source: directory ?? nameOf(workspace, testDir) },
      }),
    },
    warnings,
  };
}

function notRun(source: string, { relative }: SpecPath, places: string): string {
  return `${source} does not run ${relative}, so nothing else of it is used, such as its baseURL: start with a file in ${places}, or set output.dir in codegen.config.json.`;
}

/** Says that a directory of the workspace, such as a package, is a Playwright project. */
async function otherProjects(workspace: string): Promise<string[]> {
  const directories = [workspace];
  for (const directory of directories) {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    const place = path.relative(workspace, directory).split(path.sep);
    if (entries.some(({ name }) => playwrightConfigNames.includes(name)))
      return [
        `The workspace has no Playwright configuration, but ${place.join('/')} has one. To write tests for it, run the server with --workspace ${place.join('/')}.`,
      ];
    const isDeep = place.length >= maxDepth || directories.length > maxDirectories;
    for (const { name } of isDeep ? [] : entries.filter((entry) => entry.isDirectory()))
      if (!/^(?:\.|node_modules$)/.test(name)) directories.push(path.join(directory, name));
  }
  return [];
}

/** The code that creates a page object, or calls a function that acts. */
function createdBy({ className, isFunction = false, isHelper = false, methods }: OwnPage): string {
  const [helper] = isHelper ? methods : [];
  const args = ['page', ...(helper?.parameters ?? [])].join(', ');
  return `${isFunction ? '' : 'new '}${className}(${args})`;
}

function nameOf(workspace: string, place: string): string {
  return path.relative(workspace, place).split(path.sep).join('/') || '.';
}

function otherBrowser(theirs: BrowserName, recordedIn: BrowserName, source: string): string {
  return `${source} runs this test in ${browserTitles[theirs]} only, but it is recorded and verified in ${browserTitles[recordedIn]}. To record in ${browserTitles[theirs]}, start with use: { browserName: "${theirs}" }, or set browser.name in codegen.config.json.`;
}

function missingLogin(file: string, source: string, dependencies: readonly string[]): string {
  const [setup] = dependencies;
  const run =
    setup === undefined ? 'Write it' : `Run \`npx playwright test --project=${setup}\`, which writes it`;
  return `${source} starts tests from ${file}, which can't be read, so this session is not logged in. ${run}, and start again.`;
}

/** Playwright Test's options for a device. */
const deviceOptions = ['viewport', 'userAgent', 'isMobile', 'hasTouch', 'deviceScaleFactor'] as const;

/** The project's options that the session does not decide; `shown` leaves out Playwright's defaults and names devices. */
async function optionsOf(
  project: ProjectUse,
  use: Use,
  secrets: Secrets,
): Promise<{ found: Use; shown: Record<string, Json> }> {
  const decided = new Set<string>([...Object.keys(use), ...(use.device === undefined ? [] : deviceOptions)]);
  const given = projectOptions.flatMap((name): [string, Json][] => {
    const value = project[name];
    const isUsable = value !== undefined && useSchema.shape[name].safeParse(value).success;
    return isUsable && !decided.has(name) && secrets.foundIn({ value }).length === 0 ? [[name, value]] : [];
  });
  const found = useSchema.parse(Object.fromEntries(given));
  const device = found.userAgent === undefined ? undefined : await deviceOf(found);
  const isDevices = (name: string): boolean =>
    device !== undefined && deviceOptions.some((each) => each === name);
  const shown = given.filter(
    ([name, value]) => !isDevices(name) && !isDeepStrictEqual(value, defaults[name]),
  );
  return { found, shown: { ...(device !== undefined && { device }), ...Object.fromEntries(shown) } };
}

/** The name of the device whose options these are. */
async function deviceOf(use: Use): Promise<string | undefined> {
  const { devices } = await import('playwright');
  return Object.entries(devices).find(([, device]) =>
    deviceOptions.every((name) => isDeepStrictEqual(device[name], use[name])),
  )?.[0];
}

/** Lets `getByTestId` read the attribute that the first page uses, if nothing else decides it. */
export async function detectTestIds({ session, live }: OpenSession): Promise<Detected> {
  if (session.use.testIdAttribute !== undefined) return {};
  const value = await within(countMs, commonTestIdAttribute(live.current));
  if (value === undefined) return {};
  session.use = { ...session.use, testIdAttribute: value };
  await setTestIdAttribute(live.current.page.context(), value);
  return { testIdAttribute: { value, source: 'page' } };
}

async function commonTestIdAttribute({ page }: LivePage): Promise<string | undefined> {
  const counts = await callIsolated(
    page.mainFrame(),
    (_, names) => names.map((name) => document.querySelectorAll(`[${name}]`).length),
    { arg: testIdAttributes, schema: z.array(z.int()) },
  );
  const most = Math.max(...counts);
  return most < minElements ? undefined : testIdAttributes[counts.indexOf(most)];
}
