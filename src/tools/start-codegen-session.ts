import { browserChoice, type BrowserChoice } from '../browser/browser-choice.js';
import type { StorageState } from '../browser/context-options.js';
import { groupTitle, traitsOf } from '../actions/registry.js';
import { assertionCode, locatorCode, stepCode } from '../session/step-code.js';
import type { BaseSpec } from '../codegen/base-spec.js';
import type { CheckedPath } from '../guard/paths.js';
import type { Hold } from '../guard/quota.js';
import path from 'node:path';
import type { ClientCertificate } from '../config/schema.js';
import { CodegenError } from '../model/errors.js';
import type { LocatorChain } from '../model/locator.js';
import { attachAction, recordTool } from '../model/policy.js';
import type { Step } from '../model/step.js';
import { parseFields, printFields, referencesIn } from '../model/template.js';
import type { Detectable, Detected } from '../session/detect.js';
import type { RecordLimits } from '../session/task-runner.js';
import { withFreshWords } from '../model/unique.js';
import type { SavedSession } from '../session/saved.js';
import { sessionFiles } from '../session/session-files.js';
import type { Opening, OpenSession } from '../session/session.js';
import { sessionTemplate, testModule } from '../session/test-source.js';
import { failedAction, knownFields, pageOutput, type Answer } from './answer.js';
import type { SpecNames } from '../verify/spec-names.js';
import {
  inputSchema,
  planOf,
  requireCredentialsOrigin,
  withCredentialsOrigin,
  type StartPlan,
} from './start-plan.js';
import { defineTool, types, type ToolCall, type ToolContext } from './tool.js';

/** Actions that one call of record_codegen_session may hold. */
const maxActions = 100;

export const startCodegenSession = defineTool({
  name: 'start_codegen_session',
  title: 'Start a codegen session',
  description:
    'Opens a page and starts recording a Playwright test. Returns the sessionId for the other tools and a snapshot whose refs are targets for actions.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: inputSchema,
  output: {
    sessionId: types.text,
    file: types.text,
    detected: types.object,
    ...pageOutput,
    resumed: types.number,
    dropped: types.objects,
    failed: types.object,
    notReplayed: types.texts,
    warnings: types.texts,
  },

  async handle(context, args, call) {
    const { plan, replayed, specNames } = await planOf(context, args);
    const checked = await checkPlan(context, plan);
    let detection: Omit<Detection, 'plan'> | undefined;
    await admitAttached(context, plan, call);
    const hold = await admitReplay(replayed?.steps ?? [], call);
    const session = await context.sessions
      .start({ ...plan, path: checked.relative }, async () => {
        const opening = await openFor(context, { plan, checked, isNew: replayed === undefined }, call);
        detection = opening;
        return opening;
      })
      .catch(async (error: unknown) => {
        await hold.release();
        throw error;
      });
    const { actionTimeoutMs: actionMs, navigationTimeoutMs: navigationMs } = context.config().browser;
    const limits = { actionMs, navigationMs, files: sessionFiles(context, session), begin: call.begin };
    try {
      const answer = await context.sessions.use(session.id, (open) =>
        replayed === undefined
          ? openPage({ open, limits, call }, args.url, { file: checked.relative, ...detection, specNames })
          : resume({ open, limits, call }, replayed),
      );
      // The client of a cancelled call never learns the session's id.
      if (call.signal.aborted) await context.sessions.clear(session);
      return answer;
    } catch (error) {
      const isGone = session.status === 'failed';
      await context.sessions.clear(session);
      if (!isGone) throw error;
      const { browserEnded } = await import('../browser/live.js');
      throw browserEnded();
    }
  },
});

interface Detection {
  plan: Detectable;
  detected: Detected;
  warnings: string[];
}

/** A session that was just opened, and the call that opened it. */
interface Opened {
  open: OpenSession;
  limits: RecordLimits;
  call: ToolCall;
}

/** Admits a replay as the calls of record_codegen_session that would record it: the same rules and limits apply. */
async function admitReplay(steps: readonly Step[], { admit }: ToolCall): Promise<Hold> {
  const holds: Hold[] = [];
  const release = async (): Promise<void> => {
    for (const hold of holds) await hold.release();
  };
  const code = (chain: LocatorChain): string => locatorCode(chain).replace(/^page\./, '');
  const actions = steps.map(({ action, locator, to, args, note }) => ({
    action,
    ...printFields(args),
    ...(locator && { target: code(locator) }),
    ...(to && { to: code(to) }),
    ...(note === undefined ? {} : { note }),
  }));
  try {
    for (let at = 0; at < actions.length; at += maxActions)
      holds.push(await admit({ tool: recordTool, args: { actions: actions.slice(at, at + maxActions) } }));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** Checks what the session would write and give to its pages, before a browser is started. */
async function checkPlan(context: ToolContext, plan: StartPlan): Promise<CheckedPath> {
  const { secrets, guard } = context;
  const { use } = plan;
  if (secrets.foundIn(plan).length > 0)
    throw new CodegenError('INVALID_INPUT', "The test or its name would contain a secret's value.", {
      hint: 'In `use`, write {{secret:NAME}} instead of the value. Titles and file names cannot contain secrets.',
    });
  const { httpCredentials, ...others } = use;
  const { origin } = httpCredentials ?? {};
  const given = parseFields(httpCredentials ?? {});
  secrets.requireOrigins(given, [origin === undefined ? 'every origin' : new URL(origin).origin]);
  // Headers in `use` may go to any page.
  secrets.requireOrigins(parseFields(others), ['every origin']);
  if (isAttached(context, plan)) (await import('../session/attached.js')).requireAttachable(plan);
  const checked = await guard.checkPath(plan.file, plan.emission);
  await sessionTemplate(context, plan.emission);
  await testModule(context, plan.emission, checked);
  return checked;
}

/** Opens the browser of a session. A resumed one keeps what it was recorded with; a new one looks at the project. */
async function openFor(
  context: ToolContext,
  { plan, checked, isNew }: { plan: StartPlan; checked: CheckedPath; isNew: boolean },
  { progress, begin, signal }: ToolCall,
): Promise<Opening & Omit<Detection, 'plan'>> {
  const { use } = plan;
  const given = await storageStateOf(context, use.storageState);
  begin();
  const { openBrowser } = await import('../session/open-browser.js');
  const { detectProject } = await import('../session/detect.js');
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
function checkSending({ config }: ToolContext, { plan, warnings, ...detection }: Detection): Detection {
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
function isAttached({ config }: ToolContext, { base }: Pick<StartPlan, 'base'>): boolean {
  return config().browser.attach !== null && base === undefined;
}

/** Admits a session in a person's own browser, which the policy has to allow by name. */
async function admitAttached(context: ToolContext, plan: StartPlan, { admit }: ToolCall): Promise<void> {
  if (!isAttached(context, plan)) return;
  const hold = await admit({ tool: recordTool, args: { actions: [{ action: attachAction }] } });
  await hold.release();
}

async function openInAttached(
  context: ToolContext,
  { choice, url, detecting }: { choice: BrowserChoice; url: string; detecting: Promise<Detection> },
): Promise<Opening & Omit<Detection, 'plan'>> {
  const { plan, detected, warnings } = await detecting;
  const { openAttached } = await import('../session/attached.js');
  const { endpointAt } = await import('../browser/endpoint.js');
  const { testIdAttribute } = plan.use;
  const { live, warning } = await openAttached(context, url, { choice, testIdAttribute });
  await (await context.guard.audit()).event('attach', { browser: endpointAt(url).address });
  return { live, found: plan, detected, warnings: [warning, ...warnings] };
}

/** The client certificates of the configuration, by absolute paths. */
function certificatesIn({ workspace, config }: ToolContext): ClientCertificate[] {
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
  context: ToolContext,
  { choice, base, detecting }: { choice: BrowserChoice; base: BaseSpec; detecting: Promise<Detection> },
  progress: ToolCall['progress'],
  signal: AbortSignal,
): Promise<Opening & Omit<Detection, 'plan'>> {
  const { plan, detected, warnings } = await detecting;
  const { baseURL, testIdAttribute } = plan.use;
  progress(`Running ${base.file}`);
  const { openBase } = await import('../session/base.js');
  const live = await openBase(context, base, { choice, testIdAttribute, signal });
  const use = { ...(baseURL && { baseURL }), ...(testIdAttribute && { testIdAttribute }) };
  const { importTestFrom, ...found } = detected;
  const isKept = base.kind === 'spec' && context.config().writes.overwrite !== 'always';
  return {
    live,
    found: { use, pageObjectsDir: plan.pageObjectsDir },
    detected: found,
    warnings: [...warnings, ...(isKept ? [mayNotReplace(base.file)] : [])],
  };
}

async function storageStateOf(
  { guard }: ToolContext,
  file: string | undefined,
): Promise<StorageState | undefined> {
  if (file === undefined) return undefined;
  const { readStorageState } = await import('../session/storage-state.js');
  const { absolute } = await guard.checkReadable(file, { mayBeLogin: true });
  return readStorageState(file, absolute);
}

/** Opens the first page of a new session. */
async function openPage(
  { open, limits, call }: Opened,
  url: string | undefined,
  {
    file,
    detected = {},
    warnings = [],
    specNames,
  }: { file: string; specNames: SpecNames | undefined } & Partial<Detection>,
): Promise<Answer> {
  const { pageState } = await import('../browser/page-state.js');
  const found: Detected = {
    ...detected,
    ...(specNames && {
      specNames: { value: `${specNames.style}.${specNames.suffix}`, source: specNames.spec },
    }),
  };
  if (url !== undefined) {
    const { recordActions } = await import('../session/record.js');
    call.progress('Opening the page');
    const { detectTestIds } = await import('../session/detect.js');
    const settled = async (): Promise<void> => void Object.assign(found, await detectTestIds(open));
    const { failure } = await recordActions(
      open,
      [{ action: 'goto', url }],
      { ...limits, settled },
      call.signal,
    );
    if (failure !== undefined) throw withServer(failure.error, found.webServer);
  }
  const state = await pageState(open.live, 'full');
  const isEmpty = Object.keys(found).length === 0;
  return {
    structured: {
      sessionId: open.session.id,
      file,
      ...(isEmpty ? {} : { detected: found }),
      ...(warnings.length === 0 ? {} : { warnings }),
      ...state,
    },
    known: knownFields(open.live, state),
  };
}

/** An error of the first page, with how the project starts its application. */
function withServer(error: CodegenError, webServer: Detected['webServer']): CodegenError {
  const { code, message, hint = '' } = error;
  const isUnreachable = code === 'ACTION_FAILED' || code === 'NAVIGATION_FAILED';
  if (!isUnreachable || webServer === undefined) return error;
  const start = `${webServer.source} starts the application with ${JSON.stringify(webServer.value)}: start it, and call again. With seed, Playwright Test starts it.`;
  return new CodegenError(code, message, { hint: `${start} ${hint}`, cause: error });
}

/** Replays a saved session in the new one. Throws if its first page does not open. */
async function resume({ open, limits, call }: Opened, saved: SavedSession): Promise<Answer> {
  const { pageState } = await import('../browser/page-state.js');
  const { replaySteps } = await import('../session/replay.js');
  const { session, live } = open;
  const { file } = saved;
  const { value: steps, words } = withFreshWords(saved.steps, saved.uniques ?? {});
  if (saved.uniques !== undefined) session.uniques = words;
  const { failure, dropped } = await replaySteps(open, steps, limits, call);
  if (failure !== undefined && live.lost()) throw failure.error;
  if (failure !== undefined && failure.index === steps.findIndex((step) => traitsOf(step).opensUrl)) {
    const { code, message, hint = '' } = failure.error;
    throw new CodegenError(
      code,
      `The first page of the test does not open, so nothing was resumed. ${message}`,
      {
        hint: `${hint} Then resume again; no session is open.`,
        cause: failure.error,
      },
    );
  }

  const resumed = session.steps.length;
  const lost = dropped.map(({ assertion, ...place }) => ({
    ...place,
    code: assertionCode(assertion),
    reason: 'no longer holds',
  }));
  const state = await pageState(live, 'full');
  const structured = { sessionId: session.id, file, resumed, dropped: lost, ...state };
  const known = knownFields(live, state);
  if (failure === undefined) return { structured, known };

  const { index } = failure;
  const failed = { step: index, ...(await failedAction(open, failure)) };
  const notReplayed = stepCode(steps, file, words)
    .map((step, number) => {
      const title = groupTitle(steps[number]);
      return title === undefined ? step.code : `test.step(${JSON.stringify(title)})`;
    })
    .slice(index);
  const warnings = [
    `Step ${index} could not be replayed. Continue from here; the test will contain only what was replayed and what you record.`,
  ];
  return { structured: { failed, warnings, notReplayed, ...structured }, known };
}
