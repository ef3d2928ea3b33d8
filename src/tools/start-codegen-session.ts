import path from 'node:path';
import { z } from 'zod';
import { contextOptions } from '../browser/context-options.js';
import type { Live } from '../browser/live.js';
import { fileNameFor } from '../codegen/naming.js';
import type { Config } from '../config/schema.js';
import { CodegenError } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import { useSchema, type Use } from '../model/use.js';
import type { RecordLimits } from '../session/record.js';
import type { GrantSessions } from '../session/grant-sessions.js';
import type { OpenSession, SessionPlan } from '../session/session.js';
import type { Resumable } from './resume.js';
import { browserChoice } from './browser-choice.js';
import { sessionFiles } from './session-files.js';
import { sessionTemplate } from './source.js';
import { checkStorageState } from './storage-state.js';
import {
  defineTool,
  pageOutput,
  pageText,
  selfEvident,
  shallow,
  types,
  type Answer,
  type ToolCall,
} from './tool.js';

/** Milliseconds for a page to settle after an action. */
const settleMs = 1000;

const optionsSchema = z.strictObject({
  outputPath: z.string().min(1).optional().describe('Directory in the workspace.'),
  testNamePrefix: z.string().max(100).optional().meta(selfEvident).describe("Before the test's title."),
  includeComments: z.boolean().optional().meta(selfEvident).describe('Notes as comments.'),
  language: z
    .enum(['typescript', 'javascript'])
    .optional()
    .meta(selfEvident)
    .describe('As configured if left out.'),
  template: z.string().min(1).max(100).optional().describe('plain, pom or your own.'),
});

const inputSchema = z.strictObject({
  title: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('What the test shows, e.g. "adds a product to the cart".'),
  url: z.string().min(1).optional().describe('Opened, and recorded as the first goto.'),
  file: z
    .string()
    .min(1)
    .optional()
    .describe('Spec file in the output directory; made from the title if left out.'),
  options: optionsSchema.optional().meta(selfEvident).describe('How the test is written.'),
  use: useSchema
    .optional()
    .meta(shallow)
    .describe(`Playwright Test's use: ${Object.keys(useSchema.shape).join(', ')}.`),
  autoAssert: z
    .boolean()
    .optional()
    .describe('Assert what each step visibly did; as configured (true) if left out.'),
  resume: z
    .string()
    .min(1)
    .optional()
    .describe('An emitted spec, or the sessionId of an unfinished session, to replay and go on recording.'),
});

export const startCodegenSession = defineTool({
  name: 'start_codegen_session',
  title: 'Start a codegen session',
  description:
    'Opens a browser page whose flow becomes a Playwright test. Returns the sessionId for the other tools and a snapshot whose refs are targets for actions.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: inputSchema,
  output: {
    sessionId: types.text,
    file: types.text,
    ...pageOutput,
    resumed: types.number,
    dropped: types.objects,
    failed: types.object,
    notReplayed: types.texts,
  },

  async handle(context, args, call) {
    const { browserEnded, openLive } = await import('../browser/live.js');
    const { findSaved, replay } = await import('./resume.js');
    const { browser } = context.config();
    const found = args.resume === undefined ? undefined : await findSaved(context, args.resume);
    const saved = found?.saved;
    context.guard.checkActions(saved?.steps.map(({ action }) => action) ?? []);
    const plan = found === undefined ? newPlan(context.config(), args) : resumedPlan(found, args);
    const { use } = plan;
    requireRedacted(plan, context.secrets);
    // What it holds may go to every page.
    context.secrets.requireOrigins(use, ['every origin']);
    const { relative } = await context.guard.checkPath(plan.file, plan.emission);
    await sessionTemplate(context, plan.emission);
    if (use.storageState !== undefined) await checkStorageState(use.storageState, context.workspace);

    const times = { actionMs: browser.actionTimeoutMs, navigationMs: browser.navigationTimeoutMs };
    const open = async (isSecondTry = false): Promise<Live> => {
      const process = await context.browsers.get(browserChoice(browser, use), call.progress);
      // Assertions need it; loading it takes longer than the first of them should.
      void import('playwright/test');
      await chooseTestIdAttribute(use, context.sessions);
      const contextUse = await contextOptions(context.secrets.reveal(use), context.workspace);
      try {
        return await openLive(process, contextUse, {
          actionMs: times.actionMs,
          settleMs,
          rules: () => context.config().network,
          secrets: context.secrets,
        });
      } catch (error) {
        // That a browser has died is sometimes noticed only here; another takes its place.
        if (isSecondTry || process.isConnected()) throw error;
        return open(true);
      }
    };
    const session = await context.sessions.start({ ...plan, path: relative }, open);

    const limits = { ...times, files: sessionFiles(context, session) };
    try {
      const answer = await context.sessions.use(session.id, (opened) =>
        saved === undefined
          ? openPage(opened, { url: args.url, file: relative, limits }, call)
          : replay(opened, saved, limits, call),
      );
      // Of a call that was cancelled nobody learns the session's id.
      if (call.signal.aborted) await context.sessions.clear(session);
      return answer;
    } catch (error) {
      const isGone = session.status === 'failed';
      await context.sessions.clear(session);
      throw isGone ? browserEnded() : error;
    }
  },
});

type Plan = Omit<SessionPlan, 'path' | 'grant'>;

/** A session as the call wants it; what it does not say is as configured. */
function newPlan({ output, browser, autoAssert }: Config, args: z.infer<typeof inputSchema>): Plan {
  const { options = {}, title, url, file } = args;
  const emission = {
    language: options.language ?? output.language,
    template: options.template ?? output.template,
    includeComments: options.includeComments ?? output.includeComments,
    testNamePrefix: options.testNamePrefix ?? '',
    outputPath: options.outputPath,
  };
  const name = title ?? (url === undefined ? 'recorded flow' : `visits ${url}`.slice(0, 200));
  const extension = emission.language === 'typescript' ? 'ts' : 'js';
  return {
    title: name,
    file: file ?? `${fileNameFor(name)}.spec.${extension}`,
    emission,
    use: { ...browser.use, ...args.use },
    autoAssert: args.autoAssert ?? autoAssert,
    resumed: false,
  };
}

/** A session as it was saved. Throws INVALID_INPUT where the call wants parts of it otherwise. */
function resumedPlan({ saved, replaces, origin }: Resumable, args: z.infer<typeof inputSchema>): Plan {
  const { resume, autoAssert = saved.autoAssert, ...others } = args;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new CodegenError('INVALID_INPUT', `${other} can't be given together with resume.`, {
      hint: 'The saved session has its own title, file, options and use; beside resume only autoAssert is taken.',
    });
  const { title, file, use } = saved;
  // The configured directory may be another by now.
  const outputPath = saved.emission.outputPath ?? path.posix.dirname(file);
  const emission = { ...saved.emission, outputPath };
  return { title, file, emission, use, autoAssert, resumed: replaces, origin };
}

/** The test and its file tell what a session is called and how it begins. */
function requireRedacted(plan: Plan, secrets: Secrets): void {
  if (secrets.foundIn(plan).length === 0) return;
  throw new CodegenError('INVALID_INPUT', 'The value of a secret would stand in the test or its name.', {
    hint: 'Write {{secret:NAME}} in place of the value in `use`; a title and a file have to do without it.',
  });
}

async function openPage(
  open: OpenSession,
  { url, file, limits }: { url: string | undefined; file: string; limits: RecordLimits },
  { progress, signal }: ToolCall,
): Promise<Answer> {
  const { pageState } = await import('../browser/page-state.js');
  if (url !== undefined) {
    const { recordActions } = await import('../session/record.js');
    progress('Opening the page');
    const { failure } = await recordActions(open, [{ action: 'goto', url }], limits, signal);
    if (failure !== undefined) throw failure.error;
  }
  const { events, ...page } = await pageState(open.live, 'full');
  return {
    structured: { sessionId: open.session.id, file, ...page },
    lines: [`Session ${open.session.id} records to ${file}.`],
    pageContent: pageText({ ...page, events }),
  };
}

/** Playwright has one test id attribute for a whole process, so sessions that are open at once share it. */
async function chooseTestIdAttribute(use: Use, sessions: GrantSessions): Promise<void> {
  const attributeOf = ({ testIdAttribute = 'data-testid' }: Use): string => testIdAttribute;
  const attribute = attributeOf(use);
  const other = sessions
    .openUses()
    .map(attributeOf)
    .find((each) => each !== attribute);
  if (other !== undefined)
    throw new CodegenError(
      'INVALID_INPUT',
      `use.testIdAttribute: a session is open with ${other}, and all open sessions share one.`,
      { hint: 'End that session first, or use the same attribute.' },
    );
  const { selectors } = await import('playwright');
  selectors.setTestIdAttribute(attribute);
}
