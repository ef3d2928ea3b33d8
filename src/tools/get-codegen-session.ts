import path from 'node:path';
import { z } from 'zod';
import { groupTitle } from '../actions/registry.js';
import { toJson } from '../model/json.js';
import { printFields } from '../model/template.js';
import type { GrantSessions } from '../session/grant-sessions.js';
import type { Session } from '../session/session.js';
import { sessionSource, surroundingsOf } from '../session/test-source.js';
import { stepCode } from '../session/step-code.js';
import { pageOutput, pageText, type Answer } from './answer.js';
import { defineTool, selfEvident, types, type ToolCall, type ToolContext } from './tool.js';

const parts = z.enum(['steps', 'code', 'snapshot', 'screenshot', 'console', 'network']);

export const getCodegenSession = defineTool({
  name: 'get_codegen_session',
  title: 'Show codegen sessions',
  description:
    'Lists all sessions or, with a sessionId, shows the state of one and what `include` asks for. `code` is what ending would write.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    sessionId: z.string().optional().describe('All sessions by default.'),
    include: z.array(parts).optional().meta(selfEvident).describe('What to show in addition to the state.'),
    target: z.string().min(1).max(5000).optional().describe('Limits snapshot and screenshot to an element.'),
  }),
  output: {
    sessions: types.objects,
    sessionId: types.text,
    title: types.text,
    status: types.text,
    file: types.text,
    steps: types.countOrObjects,
    code: types.text,
    pageObjects: types.objects,
    ...pageOutput,
    events: types.objects,
    console: types.objects,
    network: types.objects,
    remaining: types.object,
  },

  async handle(context, { sessionId, include = [], target }, call) {
    if (sessionId === undefined) return listSessions(context);
    const { elementSnapshot, pageState } = await import('../browser/page-state.js');
    const { takeScreenshot } = await import('../browser/screenshot.js');
    const { explainFailure } = await import('../session/failure.js');
    const { targetLocator } = await import('../session/targets.js');
    const wanted = new Set(include);
    const found = context.sessions.find(sessionId);
    if (found.status !== 'open') return describe(context, found, wanted, call);
    return context.sessions.use(sessionId, async ({ session, live, autoAssertions }) => {
      await autoAssertions?.catchUp();
      const answer = await describe(context, session, wanted, call);
      try {
        const whole = target === undefined && wanted.has('snapshot');
        const page = await pageState(live, whole ? 'full' : 'none', autoAssertions?.settled());
        const element = target === undefined ? undefined : targetLocator(live.current, target);
        if (element !== undefined && wanted.has('snapshot'))
          page.snapshot = await elementSnapshot(live.current, element);
        const said = [answer.pageContent ?? '', pageText(page)];
        const structured: Record<string, unknown> = { ...answer.structured, ...page };
        for (const part of ['console', 'network'] as const) {
          if (!wanted.has(part)) continue;
          structured[part] = live.log[part];
          said.push(`${part}:`, ...live.log[part].map((entry) => JSON.stringify(entry)));
        }
        if (!wanted.has('screenshot')) return { ...answer, structured, pageContent: said.join('\n') };
        const image = await takeScreenshot(live.current.page, element, { type: 'png', fullPage: false });
        return { ...answer, structured, pageContent: said.join('\n'), image: image.toString('base64') };
      } catch (error) {
        const failure = await explainFailure(error, 'get', live);
        if (failure.code !== 'BROWSER_FAILED') throw failure;
        return { ...answer, lines: [...answer.lines, failure.message, failure.hint ?? ''] };
      }
    });
  },
});

function summary(
  sessions: GrantSessions,
  session: Session,
): { sessionId: string; title: string; status: string; url: string; steps: number } {
  const { id: sessionId, title, status, steps } = session;
  return { sessionId, title, status, url: sessions.urlOf(session), steps: steps.length };
}

function listSessions(context: ToolContext): Answer {
  const { sessions } = context;
  const list = sessions.list().map((session) => summary(sessions, session));
  const open = list.filter(({ status }) => status === 'open').length;
  return {
    structured: { sessions: list, ...brokenConfiguration(context) },
    lines: [`${list.length} sessions, ${open} of them open.`, ...Object.values(brokenConfiguration(context))],
    pageContent: list.map((each) => JSON.stringify(each)).join('\n'),
  };
}

async function describe(
  context: ToolContext,
  session: Session,
  wanted: ReadonlySet<string>,
  call: ToolCall,
): Promise<Answer> {
  const file = await context.guard.checkPath(session.file, session.emission);
  const { relative } = file;
  const left = await context.guard.left('end_codegen_session');
  const structured: Record<string, unknown> = {
    ...summary(context.sessions, session),
    file: relative,
    ...left,
  };
  const said: string[] = [];
  if (wanted.has('steps')) {
    const steps = stepCode(session.steps, relative).map((emitted, index) => {
      const { assertions = [], ...step } = session.steps[index] ?? {};
      const asserted = assertions.map((assertion, number) => ({
        ...assertion,
        code: emitted.assertions[number],
        automatic: true,
      }));
      return { index, ...printFields(toJson(step)), code: emitted.code, assertions: asserted };
    });
    structured['steps'] = steps;
    for (const { index, code, assertions } of steps)
      said.push(
        `${index}: ${groupTitle(session.steps[index]) ?? code}`,
        ...assertions.map((assertion) => `   ${assertion.code} (automatic)`),
      );
  }
  if (wanted.has('code')) {
    const source = await sessionSource(session, await surroundingsOf(context, session, file, call));
    const code = source.content(relative);
    structured['code'] = code;
    said.push(code);
    const directory = path.posix.dirname(relative);
    const pageObjects = source.pages.map(({ file, content }) => {
      const place = path.posix.join(directory, file);
      return { path: place, code: content(place) };
    });
    if (pageObjects.length > 0) structured['pageObjects'] = pageObjects;
    said.push(...pageObjects.flatMap((each) => [`${each.path}:`, each.code]));
  }
  const lines = [
    `Session ${session.id} is ${session.status}, with ${session.steps.length} steps, for ${relative}.`,
  ];
  const quota = Object.entries(left.remaining).map(([counter, free]) => {
    const reset = left.resets[counter];
    return `${counter} ${free}${reset === undefined ? '' : ` (more in ${Math.ceil(reset / 1_000)} s)`}`;
  });
  if (quota.length > 0) lines.push(`Quota left: ${quota.join(', ')}.`);
  const broken = brokenConfiguration(context);
  return {
    structured: { ...structured, ...broken },
    lines: [...lines, ...Object.values(broken)],
    pageContent: said.join('\n'),
  };
}

/** What to say where the files of the configuration are broken. */
function brokenConfiguration(context: ToolContext): { configuration?: string } {
  const problem = context.problem();
  if (problem === undefined) return {};
  return { configuration: `The last good configuration is in force, since its files are broken: ${problem}` };
}
