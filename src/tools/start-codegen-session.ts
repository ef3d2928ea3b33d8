import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { contextOptions } from '../browser/context-options.js';
import { fileNameFor } from '../codegen/naming.js';
import { CodegenError } from '../model/errors.js';
import { useSchema, type Use } from '../model/use.js';
import type { Sessions } from '../session/sessions.js';
import { defineTool, pageOutput, pageText, shallow, types } from './tool.js';

/** Milliseconds for a page to settle after an action. */
const settleMs = 1000;

const optionsSchema = z.strictObject({
  outputPath: z.string().min(1).optional().describe('Directory in the workspace.'),
  testNamePrefix: z.string().max(100).optional().describe("Before the test's title."),
  includeComments: z.boolean().optional().describe('Notes as comments.'),
  language: z.enum(['typescript', 'javascript']).optional().describe('As configured if left out.'),
  template: z.enum(['plain']).optional().describe('As configured if left out.'),
});

export const startCodegenSession = defineTool({
  name: 'start_codegen_session',
  title: 'Start a codegen session',
  description:
    'Opens a browser page whose flow becomes a Playwright test. Returns the sessionId for the other tools and a snapshot whose refs are targets for actions.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
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
    options: optionsSchema.optional().describe('How the test is written.'),
    use: useSchema
      .optional()
      .meta(shallow)
      .describe(`Playwright Test's use: ${Object.keys(useSchema.shape).join(', ')}.`),
    autoAssert: z
      .boolean()
      .optional()
      .describe('Assert what each step visibly did; as configured (true) if left out.'),
  }),
  output: { sessionId: types.text, file: types.text, ...pageOutput },

  async handle(context, { title, url, file, options = {}, use: given = {}, ...args }, { progress, signal }) {
    const { openLive } = await import('../browser/live.js');
    const { pageState } = await import('../browser/page-state.js');
    const { recordActions } = await import('../session/record.js');
    const { output, browser, ...config } = context.config();
    const use: Use = { ...browser.use, ...given };
    const autoAssert = args.autoAssert ?? config.autoAssert;
    const emission = {
      language: options.language ?? output.language,
      template: options.template ?? output.template,
      includeComments: options.includeComments ?? output.includeComments,
      testNamePrefix: options.testNamePrefix ?? '',
      outputPath: options.outputPath,
    };
    const name = title ?? (url === undefined ? 'recorded flow' : `visits ${url}`.slice(0, 200));
    const extension = emission.language === 'typescript' ? 'ts' : 'js';
    const planned = file ?? `${fileNameFor(name)}.spec.${extension}`;
    const { relative } = await context.guard.checkPath(planned, emission);
    await checkStorageState(use, context.workspace);

    const limits = { actionMs: browser.actionTimeoutMs, navigationMs: browser.navigationTimeoutMs };
    const session = await context.sessions.start(
      { title: name, file: planned, emission, use, autoAssert },
      async () => {
        const process = await context.browsers.get(
          {
            name: use.browserName ?? browser.name,
            headless: use.headless ?? browser.headless,
            channel: browser.channel,
            executablePath: browser.executablePath,
          },
          progress,
        );
        // Assertions need it; loading it takes longer than the first of them should.
        void import('playwright/test');
        await chooseTestIdAttribute(use, context.sessions);
        const contextUse = await contextOptions(use, context.workspace);
        return openLive(process, contextUse, { actionMs: limits.actionMs, settleMs });
      },
    );

    try {
      return await context.sessions.use(session.id, async (_, live) => {
        if (url !== undefined) {
          progress('Opening the page');
          const { failure } = await recordActions(session, live, [{ action: 'goto', url }], limits, signal);
          if (failure !== undefined) throw failure.error;
        }
        const { events, ...page } = await pageState(live, 'full');
        return {
          structured: { sessionId: session.id, file: relative, ...page },
          lines: [`Session ${session.id} records to ${relative}.`],
          pageContent: pageText({ ...page, events }),
        };
      });
    } catch (error) {
      await context.sessions.clear(session);
      throw error;
    }
  },
});

/** Playwright has one test id attribute for a whole process, so sessions that are open at once share it. */
async function chooseTestIdAttribute(use: Use, sessions: Sessions): Promise<void> {
  const attributeOf = ({ testIdAttribute = 'data-testid' }: Use): string => testIdAttribute;
  const attribute = attributeOf(use);
  const other = sessions.list().find((each) => each.status === 'open' && attributeOf(each.use) !== attribute);
  if (other !== undefined)
    throw new CodegenError(
      'INVALID_INPUT',
      `use.testIdAttribute: session ${other.id} is open with ${attributeOf(other.use)}, and all open sessions share one.`,
      { hint: 'End that session first, or use the same attribute.' },
    );
  const { selectors } = await import('playwright');
  selectors.setTestIdAttribute(attribute);
}

/** The saved state is read from inside the workspace only. */
async function checkStorageState({ storageState }: Use, workspace: string): Promise<void> {
  if (storageState === undefined) return;
  const refuse = (message: string): CodegenError =>
    new CodegenError('PATH_NOT_ALLOWED', `use.storageState: ${message}`, {
      hint: 'Give the path of a file in the workspace, relative to it.',
    });
  const root = await realpath(workspace);
  let file: string;
  try {
    file = await realpath(path.resolve(root, storageState));
  } catch {
    throw refuse(`there is no file ${JSON.stringify(storageState)}.`);
  }
  const relative = path.relative(root, file);
  if (path.isAbsolute(storageState) || relative.startsWith('..') || path.isAbsolute(relative))
    throw refuse(`${JSON.stringify(storageState)} is not in the workspace.`);
}
