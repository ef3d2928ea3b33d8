import path from 'node:path';
import { z } from 'zod';
import type { ConsoleEntry, NetworkEntry } from '../browser/live-log.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import type { PageText } from '../model/page-text.js';
import { pageUrl, rawText } from '../model/page-text.js';
import { matchedSchema } from '../model/pattern.js';
import type { GrantSessions } from '../session/grant-sessions.js';
import type { OpenSession, Session } from '../session/session.js';
import { sessionSource, surroundingsOf } from '../session/test-source.js';
import { stepCode } from '../session/step-code.js';
import { pageOutput, type Answer } from './answer.js';
import { defineTool, selfEvident, shallow, types, type ToolCall, type ToolContext } from './tool.js';

const parts = z.enum(['steps', 'code', 'snapshot', 'screenshot', 'console', 'network']);

type Matches = (text: string) => boolean;

export const getCodegenSession = defineTool({
  name: 'get_codegen_session',
  title: 'Show codegen sessions',
  description: 'Lists all sessions or, with a sessionId, shows the state of one and what `include` asks for.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    sessionId: z.string().optional().describe('All sessions by default.'),
    include: z.array(parts).optional().meta(selfEvident).describe('What to show in addition to the state.'),
    target: z
      .string()
      .min(1)
      .max(5000)
      .optional()
      .describe('Limits snapshot and screenshot; shows attributes.'),
    find: matchedSchema.optional().meta(shallow).describe('Text or {regex, flags}: only matching lines.'),
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
    attributes: types.text,
    screenshot: types.object,
    console: types.objects,
    network: types.objects,
    networkLeftOut: types.number,
    remaining: types.object,
    resets: types.object,
    warnings: types.texts,
  },

  async handle(context, { sessionId, include = [], target, find }, call) {
    if (sessionId === undefined) return listSessions(context);
    const wanted = new Set(include);
    if (find !== undefined && include.every((part) => part === 'screenshot')) wanted.add('snapshot');
    const matches = find === undefined ? undefined : await matcherOf(find);
    const found = context.sessions.find(sessionId);
    if (found.status !== 'open')
      return { structured: await describe(context, found, { wanted, matches }, call) };
    const { explainFailure } = await import('../session/failure.js');
    return context.sessions.use(sessionId, async (open) => {
      await open.autoAssertions?.catchUp();
      const structured = await describe(context, open.session, { wanted, matches }, call);
      try {
        const { image, ...shown } = await look(context, open, { wanted, target, matches, find });
        return { structured: { ...structured, ...shown.structured }, ...(image && { image }) };
      } catch (error) {
        const failure = await explainFailure(error, 'get', open.live);
        if (failure.code !== 'BROWSER_FAILED') throw failure;
        return { structured: { ...structured, warnings: [`${failure.message} ${failure.hint ?? ''}`] } };
      }
    });
  },
});

interface Wanted {
  wanted: ReadonlySet<z.infer<typeof parts>>;
  target?: string | undefined;
  matches?: Matches | undefined;
  find?: TextOrPattern | undefined;
}

/** Milliseconds that looking for an expression may take in one call. */
const findMs = 100;

/** Matches parts of lines: a text in any case, an expression as it is. */
async function matcherOf(find: TextOrPattern): Promise<Matches> {
  if (isPattern(find)) {
    const { budgeted } = await import('../model/linear.js');
    const onExhausted = (): never => {
      throw new CodegenError('INVALID_INPUT', 'Searching for this regular expression takes too long.', {
        hint: 'Search for a text or a simpler expression, or use `target` to search a part of the page.',
      });
    };
    return budgeted(find, { budgetMs: findMs, periodMs: Infinity, onExhausted });
  }
  const wanted = find.toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}

/** What the pages of an open session show. */
async function look(
  context: ToolContext,
  { session, live, autoAssertions }: OpenSession,
  { wanted, target, matches, find }: Wanted,
): Promise<Answer> {
  const { attributesOf, pageState, partOfSnapshot } = await import('../browser/page-state.js');
  const { targetLocator } = await import('../session/targets.js');
  const isWhole = target === undefined && matches === undefined && wanted.has('snapshot');
  const state = await pageState(live, isWhole ? 'full' : 'none', { taken: autoAssertions?.settled() });
  const element = target === undefined ? undefined : targetLocator(live.current, target);
  const text = typeof find === 'string' ? find : undefined;
  if (!isWhole && wanted.has('snapshot'))
    state.snapshot = await partOfSnapshot(live, { element, matches, text });
  const structured: Record<string, unknown> = { ...state };
  if (element !== undefined) structured['attributes'] = await attributesOf(live, element);
  if (wanted.has('console')) structured['console'] = live.log.console.filter(consoleFilter(matches));
  if (wanted.has('network')) {
    structured['network'] = live.log.network.filter(networkFilter(matches));
    if (matches === undefined)
      structured['networkLeftOut'] = live.log.network.filter(({ isAsset }) => isAsset).length;
  }
  if (!wanted.has('screenshot')) return { structured };
  const { takeScreenshot } = await import('../browser/screenshot.js');
  const data = await takeScreenshot(live.current.page, element, { type: 'png', fullPage: false });
  const { file, screenshot } = await saveScreenshot(context, session, data);
  return { structured: { ...structured, screenshot }, image: { data, file } };
}

function consoleFilter(matches: Matches = () => true): (entry: ConsoleEntry) => boolean {
  return ({ level, text }) => matches(`${level} ${text.text}`);
}

/** Images, fonts and styles only if they are looked for. */
function networkFilter(matches?: Matches): (entry: NetworkEntry) => boolean {
  return ({ method, url, isAsset, status, failure }) =>
    matches === undefined
      ? isAsset !== true
      : matches([method, rawText(url), status ?? failure ?? ''].join(' '));
}

/** Saves the session's latest screenshot as an artifact. The image is shown even if it can't be saved. */
async function saveScreenshot(
  { guard }: ToolContext,
  session: Session,
  png: Buffer,
): Promise<{ file: string | undefined; screenshot: { path?: string; problem?: string } }> {
  try {
    const [written] = await guard.writeArtifact(`screenshot-${session.id}.png`, png, session);
    return { file: written?.absolutePath, screenshot: { path: written?.path ?? '' } };
  } catch (error) {
    return { file: undefined, screenshot: { problem: `It was not saved: ${messageOf(error)}` } };
  }
}

function summary(
  sessions: GrantSessions,
  session: Session,
): { sessionId: string; title: string; status: string; url: string | PageText; steps: number } {
  const { id: sessionId, title, status, steps } = session;
  return { sessionId, title, status, url: pageUrl(sessions.urlOf(session)), steps: steps.length };
}

function listSessions(context: ToolContext): Answer {
  const { sessions } = context;
  const list = sessions.list().map((session) => summary(sessions, session));
  return { structured: { sessions: list, ...brokenConfiguration(context) } };
}

/** The session as data, and its steps and code. */
async function describe(
  context: ToolContext,
  session: Session,
  { wanted, matches = () => true }: Wanted,
  call: ToolCall,
): Promise<Answer['structured']> {
  const file = await context.guard.checkPath(session.file, session.emission);
  const { relative } = file;
  const structured: Answer['structured'] = {
    ...summary(context.sessions, session),
    file: relative,
    ...(await context.guard.left('end_codegen_session')),
    ...brokenConfiguration(context),
  };
  if (wanted.has('steps'))
    structured['steps'] = describeSteps(session, relative).filter((step) => matches(JSON.stringify(step)));
  if (wanted.has('code')) {
    const source = await sessionSource(session, await surroundingsOf(context, session, file, call));
    const linesOf = (code: string): string => matchingLines(code, matches);
    structured['code'] = linesOf(source.content(relative));
    const directory = path.posix.dirname(relative);
    const pageObjects = source.pages.map(({ file, content }) => {
      const place = path.posix.join(directory, file);
      return { path: place, code: linesOf(content(place)) };
    });
    if (pageObjects.length > 0) structured['pageObjects'] = pageObjects;
  }
  return structured;
}

/** The steps with their code, which says what they do and to which element. */
function describeSteps(session: Session, file: string): object[] {
  return stepCode(session.steps, file, session.uniques).map((emitted, index) => {
    const { action, note, page, changedPage, unchecked } = session.steps[index] ?? {};
    const assertions = emitted.assertions.map((code) => ({ code, automatic: true }));
    return { index, action, note, page, changedPage, unchecked, code: emitted.code, assertions };
  });
}

function matchingLines(text: string, matches: Matches): string {
  return text
    .split('\n')
    .filter((line) => matches(line))
    .join('\n');
}

/** The warning if the configuration's files are broken. */
function brokenConfiguration(context: ToolContext): { configuration?: string } {
  const problem = context.problem();
  if (problem === undefined) return {};
  return {
    configuration: `The last valid configuration is in effect, because its files are now invalid: ${problem}`,
  };
}
