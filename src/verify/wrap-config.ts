import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { PlaywrightTestConfig } from '@playwright/test';
import { minimatch } from 'minimatch';
import { z } from 'zod';
import { isInside, playwrightConfigNames } from '../model/paths.js';
import { escapeRegExp } from '../model/text.js';
import type { BrowserName } from '../model/use.js';
import type { ParsedLane, ParsedPlan } from './plan.js';
import { metadataKey } from './report.js';

type Project = NonNullable<PlaywrightTestConfig['projects']>[number];
type Patterns = NonNullable<Project['testMatch']>;
type WebServer = Exclude<NonNullable<PlaywrightTestConfig['webServer']>, unknown[]>;

/** Playwright Test's default `testMatch`. */
const defaultTestMatch = '**/*.@(spec|test).?(c|m)[jt]s?(x)';

/** Playwright Test checks the rest. */
const configSchema = z.custom<PlaywrightTestConfig>(
  (value) => typeof value === 'object' && value !== null,
  'playwright.config does not export an object',
);

const packageSchema = z.object({ type: z.string().optional() });

/** Absolute path of the workspace's own configuration; undefined if there is none. */
export function workspaceConfigFile(workspace: string): string | undefined {
  return playwrightConfigNames.map((name) => path.join(workspace, name)).find((each) => existsSync(each));
}

/** Runs the workspace's own configuration and returns it; empty if there is none. */
export async function loadWorkspaceConfig(workspace: string): Promise<PlaywrightTestConfig> {
  const file = workspaceConfigFile(workspace);
  if (file === undefined) return {};
  // Playwright Test transforms required and imported modules differently.
  const load: (file: string) => unknown = isModule(file)
    ? (module) => import(pathToFileURL(module).href)
    : createRequire(file);
  const exported = await load(file);
  const isWrapped = typeof exported === 'object' && exported !== null && 'default' in exported;
  return configSchema.parse(isWrapped ? exported.default : exported);
}

/** Whether Node treats a file as an ES module, by its extension or its package's `type`. */
function isModule(file: string): boolean {
  const kind = /\.([mc])[jt]s$/.exec(file)?.[1];
  if (kind !== undefined) return kind === 'm';
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    const manifest = path.join(directory, 'package.json');
    if (existsSync(manifest))
      return packageSchema.parse(JSON.parse(readFileSync(manifest, 'utf8'))).type === 'module';
    if (directory === path.dirname(directory)) return false;
  }
}

/**
 * The workspace's configuration with the plan's tests instead of its own: each runs as the project that covers it would
 * run it, in the planned browser. The projects' dependencies are kept. Paths become absolute, since Playwright resolves
 * them relative to the configuration.
 */
export function wrapConfig(configured: PlaywrightTestConfig, plan: ParsedPlan): PlaywrightTestConfig {
  const { workspace } = plan;
  const absolute = absolutePaths(workspace);
  const known = (configured.projects ?? [{}]).map((project): Project => ({
    respectGitIgnore: configured.respectGitIgnore ?? !(project.testDir ?? configured.testDir),
    ...project,
    ...absolute(project),
  }));
  const groups = plan.lanes.flatMap((lane) => byProject(lane, configured, known, workspace));
  // A configuration that does not cover the tests is ignored, with its setup and servers.
  const isNamed = groups.some(({ project }) => project !== undefined);
  const base = isNamed ? { ...configured, ...absolute(configured) } : {};
  const projects: Project[] = [];
  for (const group of groups) {
    const others = [...known.filter((project) => project !== group.project), ...projects];
    const name = freeName(group.project?.name ?? '', group.lane.name, others);
    projects.push({ ...wrapProject(base, group, plan), name });
  }
  const needed = dependencies(projects, known).map((project) => ({
    ...project,
    use: { ...project.use, ...launching(base, project, engineOf(base, project), plan) },
  }));
  return {
    ...base,
    testDir: base.testDir ?? workspace,
    ...scripts(base, workspace),
    projects: [...projects, ...needed],
    webServer: [base.webServer ?? []].flat().map((server: WebServer) => ({
      ...server,
      // The recorded application is already running.
      reuseExistingServer: true,
      cwd: path.resolve(workspace, server.cwd ?? '.'),
    })),
    reporter: [
      [
        fileURLToPath(new URL('../verify/reporter.js', import.meta.url)),
        { reportFile: plan.reportFile, secrets: plan.secrets },
      ],
      ...htmlReporter(plan),
    ],
    updateSnapshots: plan.makesPictures ? 'missing' : 'none',
    forbidOnly: false,
    globalTimeout: 0,
    maxFailures: plan.pause === undefined ? 0 : 1,
    shard: null,
    workers: plan.workers ?? base.workers,
  };
}

function htmlReporter({ htmlReport }: ParsedPlan): ['html', { outputFolder: string; open: 'never' }][] {
  return htmlReport === undefined ? [] : [['html', { outputFolder: htmlReport, open: 'never' }]];
}

/** A lane's files that run as one project; `project` is undefined if none covers them. */
interface Group {
  lane: ParsedLane;
  project: Project | undefined;
  files: string[];
}

/** Groups files by the first project that covers each and has the lane's browser, else by the first that covers it. */
function byProject(
  lane: ParsedLane,
  base: PlaywrightTestConfig,
  projects: readonly Project[],
  workspace: string,
): Group[] {
  const groups = new Map<Project | undefined, string[]>();
  for (const { file, as } of lane.files) {
    const project = coveringProject({ base, projects, workspace }, as, lane.browserName);
    groups.set(project, [...(groups.get(project) ?? []), file]);
  }
  return [...groups].map(([project, files]) => ({ lane, project, files }));
}

/** The first project that covers a file and has a browser, else the first that covers it. */
function coveringProject(
  {
    base,
    projects,
    workspace,
  }: { base: PlaywrightTestConfig; projects: readonly Project[]; workspace: string },
  file: string,
  browserName: BrowserName,
): Project | undefined {
  const covering = coveringProjects({ base, projects, workspace }, file);
  return covering.find((each) => engineOf(base, each) === browserName) ?? covering[0];
}

function coveringProjects(
  {
    base,
    projects,
    workspace,
  }: { base: PlaywrightTestConfig; projects: readonly Project[]; workspace: string },
  file: string,
): Project[] {
  return projects.filter((project) => covers(base, project, workspace, file));
}

/** The projects that would run a file, and the first of them that has the browser, or else the first. */
export function projectsOf(
  base: PlaywrightTestConfig,
  { workspace, file, browserName }: { workspace: string; file: string; browserName: BrowserName },
): { project: Project | undefined; names: string[] } {
  const around = { base, projects: base.projects ?? [{}], workspace };
  return {
    project: coveringProject(around, file, browserName),
    names: coveringProjects(around, file).flatMap(({ name = '' }) => (name === '' ? [] : [name])),
  };
}

/** Whether Playwright Test would run the file as this project. */
function covers(base: PlaywrightTestConfig, project: Project, workspace: string, file: string): boolean {
  const directory = path.resolve(workspace, project.testDir ?? base.testDir ?? '.');
  return (
    isInside(directory, file) &&
    matches(project.testMatch ?? base.testMatch ?? defaultTestMatch, file) &&
    !matches(project.testIgnore ?? base.testIgnore ?? [], file)
  );
}

/** Playwright Test's rule: regular expressions and globs match the absolute path; a glob may match from any directory. */
function matches(patterns: Patterns, file: string): boolean {
  const unix = file.replaceAll(path.sep, '/');
  return [patterns].flat().some((pattern) => {
    if (typeof pattern !== 'string') return file.search(pattern) !== -1 || unix.search(pattern) !== -1;
    const glob = pattern.startsWith('**/') ? pattern : `**/${pattern}`;
    return minimatch(unix, glob, { nocase: true, dot: true });
  });
}

function engineOf(base: PlaywrightTestConfig, project: Project): BrowserName {
  const [own, common] = [project.use, base.use];
  return (
    own?.browserName ??
    common?.browserName ??
    own?.defaultBrowserType ??
    common?.defaultBrowserType ??
    'chromium'
  );
}

/** Client certificates by absolute paths. */
function certificatesOf(
  { clientCertificates }: NonNullable<Project['use']>,
  workspace: string,
): NonNullable<Project['use']> {
  const absolute = (file: string | undefined): string | undefined => file && path.resolve(workspace, file);
  if (clientCertificates === undefined) return {};
  return {
    clientCertificates: clientCertificates.map((each) => ({
      ...each,
      certPath: absolute(each.certPath),
      keyPath: absolute(each.keyPath),
      pfxPath: absolute(each.pfxPath),
    })),
  };
}

/** Nothing listens on this port. */
const noNetwork = { server: 'socks5://127.0.0.1:9', bypass: '<-loopback>' };

function wrapProject(base: PlaywrightTestConfig, group: Group, plan: ParsedPlan): Project {
  const { lane, files, project = {} } = group;
  const { limits } = lane;
  const use = { ...base.use, ...project.use };
  const expectation = { ...base.expect, ...project.expect };
  const places = snapshotPlaces(base, project, plan.workspace, lane.root ?? plan.workspace);
  const isStaged = lane.files.some(({ file, as }) => file !== as);
  const isCovered = group.project !== undefined;
  return {
    ...project,
    ...places,
    ...(isCovered && (!isStaged || lane.root !== undefined) ? {} : { testDir: commonDirectory(files) }),
    ...(lane.ignoreSnapshots ? { ignoreSnapshots: true } : {}),
    testMatch: files.map((file) => new RegExp(`^${escapeRegExp(file)}$`)),
    testIgnore: [],
    respectGitIgnore: false,
    grep: /.*/,
    grepInvert: [],
    repeatEach: lane.repeat,
    workers: lane.workers ?? project.workers,
    retries: 0,
    fullyParallel: false,
    timeout: lane.timeoutMs ?? atMost(project.timeout ?? base.timeout ?? 30_000, limits.test),
    expect: {
      ...expectation,
      ...places.expect,
      timeout: atMost(expectation.timeout ?? 5000, limits.expect),
    },
    metadata: {
      ...project.metadata,
      [metadataKey]: {
        lane: lane.name,
        covered: isCovered,
        ...(lane.expectsFailure ? { expectsFailure: true } : {}),
      },
    },
    use: {
      ...use,
      ...certificatesOf(use, plan.workspace),
      ...launching(base, project, lane.browserName, lane.offline ? { ...plan, proxy: noNetwork } : plan),
      browserName: lane.browserName,
      headless: lane.headless,
      trace: plan.htmlReport === undefined ? 'off' : 'on',
      video: 'off',
      screenshot: 'off',
      actionTimeout: atMost(use.actionTimeout ?? 0, limits.action),
      navigationTimeout: atMost(use.navigationTimeout ?? 0, limits.navigation),
      ...(lane.javaScriptEnabled ? {} : { javaScriptEnabled: false }),
    },
  };
}

/** A project's directories of tests and expected screenshots, moved from the workspace to another directory. */
function snapshotPlaces(
  base: PlaywrightTestConfig,
  project: Project,
  workspace: string,
  root: string,
): Pick<Project, 'testDir' | 'snapshotDir' | 'snapshotPathTemplate' | 'expect'> {
  const moved = (place: string): string => {
    const absolute = path.resolve(workspace, place);
    return isInside(workspace, absolute) ? path.join(root, path.relative(workspace, absolute)) : place;
  };
  // Other templates are relative to the configuration, which is in this directory.
  const template = (text: string): string => (/^\{(?:testDir|snapshotDir)\}/.test(text) ? text : moved(text));
  const testDir = project.testDir ?? base.testDir ?? workspace;
  const snapshotDir = project.snapshotDir ?? base.snapshotDir;
  const snapshotPathTemplate = project.snapshotPathTemplate ?? base.snapshotPathTemplate;
  const pictures = { ...base.expect?.toHaveScreenshot, ...project.expect?.toHaveScreenshot };
  return {
    testDir: moved(testDir),
    snapshotDir: snapshotDir && moved(snapshotDir),
    snapshotPathTemplate: snapshotPathTemplate && template(snapshotPathTemplate),
    ...(pictures.pathTemplate !== undefined && {
      expect: { toHaveScreenshot: { ...pictures, pathTemplate: template(pictures.pathTemplate) } },
    }),
  };
}

/** The smaller of two time-outs; 0 means none. */
function atMost(configured: number, limit = 0): number {
  return configured === 0 || limit === 0 ? Math.max(configured, limit) : Math.min(configured, limit);
}

/** A project's launch options: the plan's browser, if it is Chromium, and its network access. */
function launching(
  base: PlaywrightTestConfig,
  project: Project,
  engine: BrowserName,
  { chromium, remote, proxy }: ParsedPlan,
): NonNullable<Project['use']> {
  const configured = { ...base.use?.launchOptions, ...project.use?.launchOptions, proxy };
  if (remote?.kind === 'playwright')
    return {
      proxy,
      connectOptions: { wsEndpoint: remote.url },
      launchOptions: { ...configured, ...remote.launch },
    };
  if (engine !== 'chromium' || chromium === undefined) return { proxy, launchOptions: configured };
  const args = [...(configured.args ?? []), ...chromium.args];
  return { proxy, launchOptions: { ...configured, ...chromium, args } };
}

/** The deepest directory that contains all files. */
function commonDirectory(files: readonly string[]): string {
  const [first = '', ...others] = files.map((file) => path.dirname(file));
  return others.reduce((common, directory) => {
    while (!isInside(common, directory)) common = path.dirname(common);
    return common;
  }, first);
}

/** The transitive dependencies of projects. */
function dependencies(of: readonly Project[], known: readonly Project[]): Project[] {
  const found = new Set<Project>();
  const visit = ({ dependencies: names = [], teardown }: Project): void => {
    for (const project of known) {
      const isNeeded = project.name !== undefined && [...names, teardown].includes(project.name);
      if (!isNeeded || found.has(project)) continue;
      found.add(project);
      visit(project);
    }
  };
  of.forEach(visit);
  return [...found];
}

/** The project's own name, to which `dependencies` refer; followed by the lane's if it is taken. */
function freeName(name: string, lane: string, others: readonly Project[]): string {
  const taken = new Set(others.map((other) => other.name ?? ''));
  let free = name;
  for (let number = 1; taken.has(free); number++) free = `${name} ${lane}${number === 1 ? '' : ` ${number}`}`;
  return free;
}

/** Makes the paths absolute that configurations and projects share. */
function absolutePaths(directory: string): (of: Project | PlaywrightTestConfig) => Project {
  const absolute = (place: string): string => path.resolve(directory, place);
  return ({ testDir, snapshotDir, expect }) => {
    const pictures = expect?.toHaveScreenshot;
    const stylePath = pictures?.stylePath && [pictures.stylePath].flat().map(absolute);
    return {
      testDir: testDir && absolute(testDir),
      snapshotDir: snapshotDir && absolute(snapshotDir),
      expect: stylePath ? { ...expect, toHaveScreenshot: { ...pictures, stylePath } } : expect,
    };
  };
}

/** A configuration's scripts and tsconfig, as absolute paths. */
function scripts(
  { globalSetup, globalTeardown, tsconfig }: PlaywrightTestConfig,
  directory: string,
): PlaywrightTestConfig {
  const { resolve } = createRequire(path.join(directory, 'playwright.config.js'));
  const locate = (script: string): string => {
    const local = path.resolve(directory, script);
    return existsSync(local) ? local : resolve(script);
  };
  return {
    globalSetup: globalSetup && [globalSetup].flat().map(locate),
    globalTeardown: globalTeardown && [globalTeardown].flat().map(locate),
    tsconfig: tsconfig && path.resolve(directory, tsconfig),
  };
}
