import type { CallOutcome, AuditedCall } from '../guard/audit.js';
import type { Elicitor } from '../guard/approvals.js';
import type { WrittenFile } from '../guard/plan.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { requireBounded } from '../model/invalid.js';
import { logStack } from '../model/log.js';
import type { Decision } from '../model/policy.js';
import { span } from '../model/span.js';
import type { Answer } from '../tools/answer.js';
import type { Tool, ToolCall, ToolContext } from '../tools/tool.js';
import type { RunningCalls } from './calls.js';
import { render, type CallResult } from './render.js';

export interface AnsweredCall {
  tool: string;
  seconds: number;
  structured: Record<string, unknown>;
  error: string | undefined;
  decision: Decision | undefined;
  session: string | undefined;
}

/** A call of a tool, in any revision of MCP. */
export interface CallRequest {
  name: string;
  args: Record<string, unknown> | undefined;
  signal: AbortSignal;
  /** Sends a progress notification; undefined if the client did not ask for any. */
  notify: ((progress: { progress: number; message: string }) => Promise<void>) | undefined;
  /** Asks the user of the client; undefined if the client doesn't support it. */
  ask: Elicitor['ask'];
  invite?: ToolCall['invite'];
}

interface CallHandling {
  context: ToolContext;
  calls: RunningCalls;
  refresh: () => Promise<void>;
  onAnswered: (call: AnsweredCall) => void;
}

/** Each call passes the guard and gets one line in the audit log. */
export function createCallHandler(
  handling: CallHandling,
): (request: CallRequest) => Promise<CallResult | undefined> {
  const { context, refresh, onAnswered } = handling;
  return async ({ name, args, signal, notify, ask, invite }) => {
    const { tools } = await import('../tools/registry.js');
    const tool = tools.find((each) => each.name === name);
    const audited = (await context.guard.audit()).call({
      tool: tool?.name ?? 'unknown',
      session: knownSession(context, args?.['sessionId']),
    });
    const files: WrittenFile[] = [];
    const outcome = (error?: string): CallOutcome => ({
      error,
      files,
      ...(signal.aborted && { cancelled: true }),
    });
    if (tool === undefined) {
      await audited.end(outcome('INVALID_INPUT'));
      return undefined;
    }
    const began = performance.now();
    const progress = progressOf(notify);
    const person: Elicitor = {
      signal,
      ask:
        ask &&
        ((question) => {
          progress('Waiting for approval');
          return ask(question);
        }),
    };
    let hasBegun = false;
    const call: ToolCall = {
      begin() {
        hasBegun = true;
      },
      signal,
      progress,
      invite,
      admit: (other) => context.guard.admit(other, person),
      noteFiles: (written) => files.push(...written),
    };
    let answer: Answer;
    try {
      requireBounded(args);
      await refresh();
      const given = { tool, args, call, person, audited, hasBegun: () => hasBegun };
      answer = await span(
        `tools/call ${tool.name}`,
        { 'mcp.tool.name': tool.name, 'codegen.grant': context.sessions.grant },
        () => perform(handling, given),
        ({ error }) => error?.code,
      );
      const session = knownSession(context, answer.structured['sessionId']);
      const { error } = answer;
      await audited.end({ ...outcome(error?.code), ...(session && { session }) }, error?.decision);
    } catch (error) {
      const failure = await withServer(context, toCodegenError(error), args?.['sessionId']);
      await audited.end(outcome(failure.code), failure.decision);
      answer = { structured: {}, error: failure };
    }
    const { structured, error: { code: error, decision } = {} } = answer;
    const seconds = (performance.now() - began) / 1000;
    const session = knownSession(context, args?.['sessionId'] ?? structured['sessionId']);
    onAnswered({ tool: tool.name, seconds, structured, error, decision, session });
    return render(answer, context.secrets, context.config().output.maxAnswerBytes);
  };
}

/** Admits and runs a call. Returns its quota if it fails before it had any effect. */
async function perform(
  { context, calls }: CallHandling,
  given: {
    tool: Tool;
    args: unknown;
    call: ToolCall;
    person: Elicitor;
    audited: AuditedCall;
    hasBegun: () => boolean;
  },
): Promise<Answer> {
  const { tool, args, call, person, audited, hasBegun } = given;
  const admission = await context.guard.admit({ tool: tool.name, args }, person);
  let answer: Answer;
  try {
    await audited.begin(admission.decision);
    const { confirm } = admission;
    answer = await calls.run(call.signal, (signal) =>
      tool.handle(context, args, { ...call, signal, confirm }),
    );
  } catch (error) {
    if (!hasBegun()) await admission.release();
    throw error;
  }
  if (answer.error !== undefined && !hasBegun()) await admission.release();
  return answer;
}

function progressOf(notify: CallRequest['notify']): ToolCall['progress'] {
  let progress = 0;
  return (message) => {
    notify?.({ progress: ++progress, message }).catch(() => undefined);
  };
}

/** The id if such a session exists, so that the audit log contains no other text from the call. */
function knownSession({ sessions }: ToolContext, id: unknown): string | undefined {
  return sessions.list().find((session) => session.id === id)?.id;
}

/** Adds the server that has the session to SESSION_NOT_FOUND. */
async function withServer(
  { serverOf }: ToolContext,
  failure: CodegenError,
  session: unknown,
): Promise<CodegenError> {
  if (failure.code !== 'SESSION_NOT_FOUND' || typeof session !== 'string') return failure;
  const server = await serverOf(session);
  if (server === undefined) return failure;
  return new CodegenError('SESSION_NOT_FOUND', failure.message, {
    hint: `This session lives on server "${server}". Reconnect there; a balancer routes by the session id's prefix.`,
  });
}

function toCodegenError(thrown: unknown): CodegenError {
  if (thrown instanceof CodegenError) return thrown;
  logStack(thrown);
  return new CodegenError('ACTION_FAILED', `Unexpected internal error: ${messageOf(thrown)}`, {
    hint: "This is a bug in codegen-session-mcp; the server's stderr has the details.",
    cause: thrown,
  });
}
