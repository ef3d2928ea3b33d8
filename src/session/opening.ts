import path from 'node:path';
import { browserChoice, type BrowserChoice } from '../browser/browser-choice.js';
import type { StorageState } from '../browser/context-options.js';
import type { BrowserPool } from '../browser/launch.js';
import type { BaseSpec } from '../codegen/base-spec.js';
import type { ClientCertificate, Config } from '../config/schema.js';
import type { Secrets } from '../model/secrets.js';
import { parseFields, referencesIn } from '../model/template.js';
import { requireCredentialsOrigin, withCredentialsOrigin } from './credentials-origin.js';
import type { Detectable, Detected } from './detect.js';
import type { SpecPath } from './page-files.js';
import type { Opening, SessionPlan } from './session.js';

interface OpeningContext {
  workspace: string;
  stateDirectory: string;
  config: () => Config;
  guard: {
    checkReadable(file: string, options: { mayBeLogin: true }): Promise<{ absolute: string }>;
    audit(): Promise<{ event(name: 'attach', fields: { browser: string }): Promise<void> }>;
  };
  sessions: { grant: string };
  browsers: BrowserPool;
  secrets: Secrets;
}

type OpeningPlan = Omit<SessionPlan, 'path' | 'grant'>;

/** The call that opens a session. */
interface OpeningCall {
  signal: AbortSignal;
  progress: (message: string) => void;
  begin: () => void;
}

/** A session that was opened, what was detected in the project for it, and what the agent should know. */
export type DetectedOpening = Opening & Omit<Detection, 'plan'>;

interface Detection {
  plan: Detectable;
  detected: Detected;
  warnings: string[];
}

/** Opens the browser of a session. A resumed one keeps what it was recorded with; a new one looks at the project. */
export async function openSession(
  context: OpeningContext,
  { plan, checked, isNew }: { plan: OpeningPlan; checked: SpecPath; isNew: boolean },
  { progress, begin, signal }: OpeningCall,
): Promise<DetectedOpening> {
  const { use } = plan;
  const given = await storageStateOf(context, use.storageState);
  begin();
  const { openBrowser } = await import('./open-browser.js');
  const { detectProject } = await import('./detect.js');
  const { browser } = context.config();
  const detecting: Promise<Detection> = isNew
    ? detectProject(context, plan, checked, signal).then((found) => checkSending(context, found))
    : Promise.resolve({ plan, detected: {}, warnings: [] });
  const choice = browserChoice(browser, context.sessions.grant, use);
  if (plan.base !== undefined)
    return openOnSpec(context, { choice, base: plan.base, detecting }, progress, signal);
  if (browser.attach !== null) return openInAttached(context, { choice, url: browser.attach, detecting });
  const network = plan.har && new (await import('../browser/har-recorder.js')).HarRecorder();
  const live = await openBrowser({
    har: network,
    clientCertificates: certificatesIn(context),
    browsers: context.browsers,
    choice,
    use: detecting.then((detection) => detection.plan.use),
    storageState: detecting.then((found) => given ?? storageStateOf(context, found.plan.use.storageState)),
    actionMs: browser.actionTimeoutMs,
    maxPages: () => context.config().browser.maxPagesPerSession,
    rules: () => context.config().network,
    secrets: context.secrets,
    progress,
  });
  const { plan: found, ...detection } = await detecting;
  return { live, found: { ...found, network }, ...detection };
}

/** What a session that is about to open sends to which hosts. A project's baseURL may decide where credentials go. */
function checkSending({ config }: OpeningContext, { plan, warnings, ...detection }: Detection): Detection {
  const use = withCredentialsOrigin(plan.use);
  requireCredentialsOrigin(use);
  const names = referencesIn(parseFields(use.extraHTTPHeaders ?? {}));
  const isOpen = names.length > 0 && config().network.allowedOrigins.includes('*');
  const sent = isOpen ? [sentToAll(names)] : [];
  return { ...detection, plan: { ...plan, use }, warnings: [...sent, ...warnings] };
}

function sentToAll(names: readonly string[]): string {
  return `use.extraHTTPHeaders sends ${names.join(', ')} to every host that a page loads from. Ask the operator to limit network.allowedOrigins.`;
}

/** Whether a session opens in a person's own browser. One that continues a spec opens in the browser of the spec. */
export function isAttached(
  { config }: { config: () => Config },
  { base }: Pick<OpeningPlan, 'base'>,
): boolean {
  return config().browser.attach !== null && base === undefined;
}

async function openInAttached(
  context: OpeningContext,
  { choice, url, detecting }: { choice: BrowserChoice; url: string; detecting: Promise<Detection> },
): Promise<DetectedOpening> {
  const { plan, detected, warnings } = await detecting;
  const { openAttached } = await import('./attached.js');
  const { endpointAt } = await import('../browser/endpoint.js');
  const { testIdAttribute } = plan.use;
  const { live, warning } = await openAttached(context, url, { choice, testIdAttribute });
  await (await context.guard.audit()).event('attach', { browser: endpointAt(url).address });
  return { live, found: plan, detected, warnings: [warning, ...warnings] };
}

/** The client certificates of the configuration, by absolute paths. */
function certificatesIn({ workspace, config }: OpeningContext): ClientCertificate[] {
  const absolute = (file: string | undefined) => file && path.resolve(workspace, file);
  return config().browser.clientCertificates.map(({ certPath, keyPath, pfxPath, ...each }) => ({
    ...each,
    ...(pfxPath === undefined
      ? { certPath: absolute(certPath), keyPath: absolute(keyPath) }
      : { pfxPath: absolute(pfxPath) }),
  }));
}

function mayNotReplace(file: string): string {
  return `Ending the session can't change ${file} unless writes.overwrite in the configuration is "always". To write a copy, end it with another file in the same directory.`;
}

/** Opens a session in the page of a spec, which has its context from the project. */
async function openOnSpec(
  context: OpeningContext,
  { choice, base, detecting }: { choice: BrowserChoice; base: BaseSpec; detecting: Promise<Detection> },
  progress: OpeningCall['progress'],
  signal: AbortSignal,
): Promise<DetectedOpening> {
  const { plan, detected, warnings } = await detecting;
  const { baseURL, testIdAttribute } = plan.use;
  progress(`Running ${base.file}`);
  const { openBase } = await import('./base.js');
  const live = await openBase(context, base, { choice, testIdAttribute, signal });
  const use = { ...(baseURL && { baseURL }), ...(testIdAttribute && { testIdAttribute }) };
  const { importTestFrom, ...found } = detected;
  const isKept = base.kind === 'spec' && context.config().writes.overwrite !== 'always';
  return {
    live,
    found: { use, pageObjectsDir: plan.pageObjectsDir, ownModules: plan.ownModules },
    detected: found,
    warnings: [...warnings, ...(isKept ? [mayNotReplace(base.file)] : [])],
  };
}

async function storageStateOf(
  { guard }: OpeningContext,
  file: string | undefined,
): Promise<StorageState | undefined> {
  if (file === undefined) return undefined;
  const { readStorageState } = await import('./storage-state.js');
  const { absolute } = await guard.checkReadable(file, { mayBeLogin: true });
  return readStorageState(file, absolute);
}
