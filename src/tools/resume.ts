import path from 'node:path';
import { assertionCode, emitSteps, statementOf } from '../codegen/emitter.js';
import { groupTitle, traitsOf } from '../actions/registry.js';
import { CodegenError } from '../model/errors.js';
import type { RecordLimits } from '../session/record.js';
import type { SavedSession } from '../session/saved.js';
import type { OpenSession } from '../session/session.js';
import type { UnfinishedSession } from '../session/unfinished.js';
import { pageText, type Answer, type ToolCall, type ToolContext } from './tool.js';

/** A session to go on from. */
export interface Resumable {
  saved: SavedSession;
  /** Id of the session, where its test was not written. */
  origin: string | undefined;
  /** Whether it replaces its file. */
  replaces: boolean;
}

/**
 * The saved session of a spec, which is named as a call's `file` or relative to the workspace, as results name it; or
 * one that was not finished, by its id, or by its file where no test was written there. Throws PATH_NOT_ALLOWED, and
 * INVALID_INPUT where none that can be used is saved.
 */
export async function findSaved(
  { guard, sessions, stateDirectory }: ToolContext,
  name: string,
): Promise<Resumable> {
  const { loadSession } = await import('../session/saved.js');
  const { findUnfinished } = await import('../session/unfinished.js');
  const goOn = ({ id, grant, resumed, holder, ...saved }: UnfinishedSession): Resumable => ({
    saved,
    origin: id,
    replaces: resumed,
  });
  if (!/\.spec\.[jt]s$/.test(name)) {
    const unfinished = await findUnfinished(stateDirectory, sessions.grant, { id: name });
    if (unfinished !== undefined) return goOn(unfinished);
    if (/^[\w-]+$/.test(name)) throw notSaved(`session ${name}`);
  }
  const language = name.endsWith('.js') ? 'javascript' : 'typescript';
  const inOutput = await guard.checkPath(name, { language });
  // A grant beside others has no place but its output directory.
  const inWorkspace = await guard
    .checkPath(name, { language, outputPath: path.posix.dirname(name) })
    .catch(() => inOutput);
  const files = [inOutput.relative, inWorkspace.relative];
  for (const file of files) {
    const saved = await loadSession(stateDirectory, file);
    if (saved !== undefined) return { saved, origin: undefined, replaces: true };
  }
  for (const file of files) {
    const unfinished = await findUnfinished(stateDirectory, sessions.grant, { file });
    if (unfinished !== undefined) return goOn(unfinished);
  }
  throw notSaved(`session of ${inOutput.relative}`);
}

function notSaved(what: string): CodegenError {
  return new CodegenError('INVALID_INPUT', `No ${what} is saved.`, {
    hint: 'A session is saved in this state directory as its steps land, and with the test that end_codegen_session writes, until it is cleared; one that is open can not be resumed. Record the flow anew, or correct the test by hand.',
  });
}

/** Replays a saved session in a fresh one, and tells how far that went. Throws where not even its first page opens. */
export async function replay(
  open: OpenSession,
  saved: SavedSession,
  limits: RecordLimits,
  call: ToolCall,
): Promise<Answer> {
  const { pageState } = await import('../browser/page-state.js');
  const { nearestHint } = await import('../session/candidates.js');
  const { replaySteps } = await import('../session/replay.js');
  const { session, live } = open;
  const { steps, file } = saved;
  const { failure, dropped } = await replaySteps(open, steps, limits, call);
  if (failure !== undefined && live.lost()) throw failure.error;
  if (failure !== undefined && failure.index === steps.findIndex((step) => traitsOf(step).opensUrl)) {
    const { code, message, hint = '' } = failure.error;
    throw new CodegenError(code, `The test's first page does not open, so nothing was resumed. ${message}`, {
      hint: `${hint} Then resume again; no session is open.`,
      cause: failure.error,
    });
  }

  const { events, ...page } = await pageState(live, 'full');
  const resumed = session.steps.length;
  const lost = dropped.map(({ step, assertion }) => ({ index: step, code: assertionCode(assertion) }));
  const answer = {
    structured: { sessionId: session.id, file, resumed, dropped: lost, ...page },
    lines: [`Session ${session.id} resumes ${file}: ${resumed} of ${steps.length} steps are replayed.`],
  };
  const said = lost.map(
    ({ index, code }) => `Dropped after step ${index}, since it is no longer true: ${code}`,
  );
  if (failure === undefined)
    return { ...answer, pageContent: [...said, pageText({ ...page, events })].join('\n') };

  const { index, error, target } = failure;
  const hint = [error.hint, await nearestHint(live.current, error, target)].filter(Boolean).join(' ');
  const failed = { index, code: error.code, message: error.message, hint };
  const notReplayed = emitSteps(steps, file)
    .map((code, number) => {
      const title = groupTitle(steps[number]);
      return title === undefined ? statementOf(code) : `test.step(${JSON.stringify(title)})`;
    })
    .slice(index);
  return {
    structured: { ...answer.structured, failed, notReplayed },
    lines: [
      ...answer.lines,
      `Step ${index} failed with ${error.code}. Record on from here: the test will hold only what is replayed or recorded.`,
    ],
    pageContent: [
      ...said,
      `Failure: ${error.message} ${hint}`,
      'Not replayed:',
      ...notReplayed,
      pageText({ ...page, events }),
    ].join('\n'),
  };
}
