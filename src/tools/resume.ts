import path from 'node:path';
import { assertionCode, emitSteps, statementOf } from '../actions/emitter.js';
import { groupTitle } from '../actions/registry.js';
import type { Live } from '../browser/live.js';
import { CodegenError } from '../model/errors.js';
import type { RecordLimits } from '../session/record.js';
import type { SavedSession } from '../session/saved.js';
import type { Session } from '../session/session.js';
import { pageText, type Answer, type ToolCall, type ToolContext } from './tool.js';

/**
 * The saved session of a spec, which is named as a call's `file` or relative to the workspace, as results name it.
 * Throws PATH_NOT_ALLOWED, and INVALID_INPUT where none that can be used is saved.
 */
export async function findSaved({ guard, stateDirectory }: ToolContext, spec: string): Promise<SavedSession> {
  const { loadSession } = await import('../session/saved.js');
  const language = spec.endsWith('.js') ? 'javascript' : 'typescript';
  const inOutput = await guard.checkPath(spec, { language });
  const inWorkspace = await guard.checkPath(spec, { language, outputPath: path.posix.dirname(spec) });
  for (const { relative } of [inOutput, inWorkspace]) {
    const saved = await loadSession(stateDirectory, relative);
    if (saved !== undefined) return saved;
  }
  throw new CodegenError('INVALID_INPUT', `No session of ${inOutput.relative} is saved.`, {
    hint: 'end_codegen_session saves one with each test that it writes, in this state directory. Record the flow anew, or correct the test by hand.',
  });
}

/** Replays a saved session in a fresh one, and tells how far that went. Throws where not even its first page opens. */
export async function replay(
  session: Session,
  live: Live,
  saved: SavedSession,
  limits: RecordLimits,
  call: ToolCall,
): Promise<Answer> {
  const { pageState } = await import('../browser/page-state.js');
  const { nearestHint } = await import('../session/candidates.js');
  const { replaySteps } = await import('../session/replay.js');
  const { steps, file } = saved;
  const { failure, dropped } = await replaySteps(session, live, steps, limits, call);
  if (failure !== undefined && failure.index === steps.findIndex(({ action }) => action === 'goto')) {
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
