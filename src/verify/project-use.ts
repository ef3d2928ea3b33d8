import { availableParallelism } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { Slots } from '../model/slots.js';
import { browserNameSchema, type BrowserName, type ProjectUse } from '../model/use.js';
import { configState } from './config-state.js';
import { workspaceVariable } from './plan.js';
import { ownPlaywrightTest, workspacePlaywrightTest } from './playwright-test.js';
import { spawnPlaywright, supervise } from './run.js';
import { projectsOf, workspaceConfigFile } from './wrap-config.js';

/** Time-out for loading the workspace's configuration. */
const loadingMs = 20_000;

/** Maximum number of configurations that load in parallel. */
const slots = new Slots(availableParallelism(), 100);

const pattern = z.union([z.string(), z.instanceof(RegExp)]);
const patterns = z.union([pattern, z.array(pattern)]).optional();
const partSchema = z.object({
  name: z.string().optional(),
  dependencies: z.array(z.string()).optional(),
  testDir: z.string().optional(),
  testMatch: patterns,
  testIgnore: patterns,
  use: z.looseObject({
    browserName: browserNameSchema.optional().catch(undefined),
    defaultBrowserType: browserNameSchema.optional().catch(undefined),
  }),
});
const configSchema = partSchema.extend({
  projects: z.array(partSchema).optional(),
  servers: z.array(z.string()),
});

type ProjectConfig = z.infer<typeof configSchema>;

/** Identifies a test of a workspace; paths are absolute. */
interface ProjectQuestion {
  workspace: string;
  file: string;
  browserName: BrowserName;
}

/** What the workspace's Playwright configuration says about a test. */
interface ProjectAnswer {
  /** The `use` of the project that would run the test; empty if none would. */
  use: ProjectUse;
  /** Whether a project would run the test. */
  isCovered: boolean;
  /** The directory of its tests; undefined if there is no configuration. */
  testDir: string | undefined;
  /** The directories of all its projects. */
  testDirs: string[];
  /** The names of the projects that would run it. */
  projects: string[];
  /** The projects that run before it. */
  dependencies: string[];
  /** The `webServer` commands with their URLs or ports. */
  webServer: string | undefined;
  /** Absolute path of the configuration. */
  configFile: string | undefined;
}

/** The latest configuration from each file, and the state of the files it depends on. */
const loaded = new Map<string, { state: string | undefined; config: ProjectConfig }>();

/**
 * Asks the workspace's own configuration about a test; it is loaded again if what it depends on has changed. The answer
 * is empty without a configuration that loads within `timeoutMs`: running the test shows what is wrong with it.
 */
export async function askProject(
  { workspace, file, browserName }: ProjectQuestion,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<ProjectAnswer> {
  const none = {
    use: {},
    isCovered: false,
    dependencies: [],
    projects: [],
    webServer: undefined,
    testDir: undefined,
    testDirs: [],
    configFile: undefined,
  };
  const configFile = workspaceConfigFile(workspace);
  if (configFile === undefined) return none;
  const state = await configState(workspace, configFile);
  const known = loaded.get(configFile);
  const isCurrent = state !== undefined && known?.state === state;
  const config = isCurrent ? known.config : await load(workspace, timeoutMs, signal);
  if (config === undefined) return none;
  loaded.set(configFile, { state, config });
  const { project, names } = projectsOf(config, { workspace, file, browserName });
  const testDir = project?.testDir ?? config.testDir ?? config.projects?.[0]?.testDir ?? '.';
  const parts = config.projects?.length ? config.projects : [config];
  const directories = parts.map((part) => path.resolve(workspace, part.testDir ?? config.testDir ?? '.'));
  return {
    use: project === undefined ? {} : useOf({ ...config.use, ...project.use }, workspace),
    isCovered: project !== undefined,
    dependencies: project?.dependencies ?? [],
    projects: names,
    webServer: config.servers.join(', ') || undefined,
    testDir: path.resolve(workspace, testDir),
    testDirs: [...new Set(directories)],
    configFile,
  };
}

/** A project's `use`, with its `storageState` path relative to the workspace. */
function useOf(use: object, workspace: string): ProjectUse {
  const plain = z.record(z.string(), z.json()).parse(use);
  const { storageState } = plain;
  if (typeof storageState !== 'string') return plain;
  const relative = path.relative(workspace, path.resolve(workspace, storageState));
  return { ...plain, storageState: relative.split(path.sep).join('/') };
}

/** Loads the workspace's configuration in a child process. */
async function load(
  workspace: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProjectConfig | undefined> {
  const playwright = (await workspacePlaywrightTest(workspace)) ?? (await ownPlaywrightTest());
  return slots.run(signal, async () => {
    const child = spawnPlaywright(playwright, {
      workspace,
      config: '../verify/project-config.js',
      variables: { [workspaceVariable]: workspace },
      args: ['--list'],
      ipc: true,
    });
    let config: ProjectConfig | undefined;
    child.on('message', (message) => {
      config = configSchema.safeParse(message).data;
    });
    await supervise(child, Math.min(loadingMs, timeoutMs), signal);
    return config;
  });
}
