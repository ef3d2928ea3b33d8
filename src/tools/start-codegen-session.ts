import type { Json } from '../model/json.js';
import { groupTitle, traitsOf } from '../actions/registry.js';
import { assertionCode, locatorCode, stepCode } from '../session/step-code.js';
import type { CheckedPath } from '../guard/paths.js';
import type { Hold } from '../guard/quota.js';
import { CodegenError } from '../model/errors.js';
import type { LocatorChain } from '../model/locator.js';
import { attachAction, recordTool } from '../model/policy.js';
import type { Step } from '../model/step.js';
import { parseFields, printFields } from '../model/template.js';
import type { Detected } from '../session/detect.js';
import { isAttached, openSession, type DetectedOpening } from '../session/opening.js';
import type { RecordLimits } from '../session/task-runner.js';
import { withFreshWords } from '../model/unique.js';
import type { SavedSession } from '../session/saved.js';
import { sessionFiles } from '../session/session-files.js';
import type { OpenSession } from '../session/session.js';
import { sessionTemplate, testModule } from '../session/test-source.js';
import { failedAction, knownFields, pageOutput, type Answer } from './answer.js';
import type { SpecNames } from '../verify/spec-names.js';
import { inputSchema, planOf, type StartPlan } from './start-plan.js';
import { defineTool, types, type ToolCall, type ToolContext } from './tool.js';

/** Actions that one call of record_codegen_session may hold. */
const maxActions = 100;

export const startCodegenSession = defineTool({
  name: 'start_codegen_session',
  title: 'Start a codegen session',
  description:
    'Opens a page and starts recording a Playwright test. Returns a sessionId, and a snapshot whose refs can be targets of actions.',
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
    let detection: DetectedOpening | undefined;
    await admitAttached(context, plan, call);
    const hold = await admitReplay(replayed?.steps ?? [], call);
    const session = await context.sessions
      .start({ ...plan, path: checked.relative }, async () => {
        const opening = await openSession(context, { plan, checked, isNew: replayed === undefined }, call);
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

/** Admits a session in a person's own browser, which the policy has to allow by name. */
async function admitAttached(context: ToolContext, plan: StartPlan, { admit }: ToolCall): Promise<void> {
  if (!isAttached(context, plan)) return;
  const hold = await admit({ tool: recordTool, args: { actions: [{ action: attachAction }] } });
  await hold.release();
}

/** Opens the first page of a new session. */
async function openPage(
  { open, limits, call }: Opened,
  url: string | undefined,
  {
    file,
    detected = {},
    warnings: given = [],
    specNames,
  }: { file: string; specNames: SpecNames | undefined } & Partial<DetectedOpening>,
): Promise<Answer> {
  const { pageState } = await import('../browser/page-state.js');
  const found: Detected = {
    ...detected,
    ...(specNames && {
      specNames: { value: `${specNames.style}.${specNames.suffix}`, source: specNames.spec },
    }),
  };
  const warnings = [...given];
  if (url !== undefined) {
    const { recordActions } = await import('../session/record.js');
    call.progress('Opening the page');
    const { detectTestIds } = await import('../session/detect.js');
    const settled = async (): Promise<void> => {
      const { testIdAttribute } = await detectTestIds(open);
      if (testIdAttribute === undefined) return;
      found.testIdAttribute = testIdAttribute;
      if (found.testDir !== undefined)
        warnings.push(testIdAdvice(testIdAttribute.value, found.testDir.source));
    };
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

function testIdAdvice(value: Json, configFile: string): string {
  const attribute = typeof value === 'string' ? value : '';
  return `Elements of the page have ${attribute}, so the test sets testIdAttribute. Without that line in every test: add testIdAttribute: '${attribute}' to \`use\` of ${configFile}.`;
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
