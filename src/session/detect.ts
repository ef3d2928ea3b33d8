import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { LivePage } from '../browser/live-page.js';
import { callIsolated } from '../browser/isolated.js';
import { setTestIdAttribute } from '../browser/test-id.js';
import type { Config } from '../config/schema.js';
import { isInside } from '../model/paths.js';
import type { Secrets } from '../model/secrets.js';
import { useSchema, type Use } from '../model/use.js';
import { within } from '../model/within.js';
import type { SpecPath } from './page-files.js';
import type { OpenSession, SessionPlan } from './session.js';

/** What a session found out about the project and the application, and uses; `source` is a file, or "page". */
export type Detected = Partial<
  Record<
    'testIdAttribute' | 'baseURL' | 'storageState' | 'testDir' | 'importTestFrom',
    { value: string; source: string }
  >
>;

/** The parts of a session's plan to which detected values are added. */
export type Detectable = Pick<SessionPlan, 'use' | 'emission'>;

/** Attributes that applications have for tests; of two that are equally common, the first is taken. */
const testIdAttributes = ['data-testid', 'data-test', 'data-test-id', 'data-cy', 'data-qa', 'data-e2e'];
/** Elements that have to have one. */
const minElements = 3;
/** Milliseconds for the page to count them. */
const countMs = 1000;

/**
 * Adds to the plan of a new session what the workspace's own Playwright configuration and specs say, and the call and
 * the server's configuration do not.
 */
export async function detectProject(
  context: {
    workspace: string;
    config: () => Config;
    secrets: Secrets;
    guard: { checkReadable(file: string, options: { mayBeLogin: true }): Promise<{ absolute: string }> };
  },
  { use, emission }: Detectable,
  file: SpecPath,
  signal: AbortSignal,
): Promise<{ plan: Detectable; detected: Detected; warnings: string[] }> {
  const { workspace, secrets } = context;
  const { askProject } = await import('../verify/project-use.js');
  const { browser, verify } = context.config();
  const { configFile, testDir, isCovered, ...project } = await askProject(
    { workspace, file: file.absolute, browserName: use.browserName ?? browser.name },
    { timeoutMs: verify.timeoutMs, signal },
  );
  if (configFile === undefined || testDir === undefined)
    return { plan: { use, emission }, detected: {}, warnings: [] };
  const nameOf = (place: string): string => path.relative(workspace, place).split(path.sep).join('/') || '.';
  const source = nameOf(configFile);
  const detected: Detected = { testDir: { value: nameOf(testDir), source } };
  const found: Use = {};
  for (const name of ['testIdAttribute', 'baseURL'] as const) {
    const { data: value } = useSchema.shape[name].safeParse(project.use[name]);
    if (use[name] !== undefined || value === undefined || secrets.foundIn({ value }).length > 0) continue;
    found[name] = value;
    detected[name] = { value, source };
  }
  const warnings: string[] = [];
  const { storageState } = project.use;
  if (use.storageState === undefined && typeof storageState === 'string') {
    const isReadable = await context.guard.checkReadable(storageState, { mayBeLogin: true }).then(
      ({ absolute }) => existsSync(absolute),
      () => false,
    );
    if (isReadable) {
      found.storageState = storageState;
      detected.storageState = { value: storageState, source };
    } else warnings.push(missingLogin(storageState, source));
  }
  const plan = { use: { ...use, ...found }, emission };
  const isDecided = emission.importTestFrom !== undefined || emission.setup === true;
  if (isDecided || !isCovered || !isInside(workspace, testDir)) return { plan, detected, warnings };
  const { commonTestModule } = await import('../verify/common-test-module.js');
  const common = await commonTestModule(workspace, testDir);
  if (common === undefined) return { plan, detected, warnings };
  const { module, spec } = common;
  detected.importTestFrom = { value: module, source: nameOf(spec) };
  return { plan: { ...plan, emission: { ...emission, importTestFrom: module } }, detected, warnings };
}

function missingLogin(file: string, source: string): string {
  return `${source} starts tests from ${file}, which can't be read, so this session is not logged in. Run the set-up project that writes it, and start again.`;
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
