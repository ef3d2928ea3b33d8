import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Live } from '../browser/live.js';
import { patchOf } from '../guard/difference.js';
import { rawText } from '../model/page-text.js';
import type { Session } from '../session/session.js';
import { sessionSource, surroundingsOf } from '../session/test-source.js';
import { clearCodegenSession } from '../tools/clear-codegen-session.js';
import { endCodegenSession } from '../tools/end-codegen-session.js';
import { onPost } from './access.js';
import { addControl, Controls } from './control.js';
import { addEdit } from './edit.js';
import { failureOf } from './failures.js';
import { follow } from './follow.js';
import type { PageApp, PageOptions } from './options.js';
import { Pictures } from './picture.js';
import type { EndResult, SessionDetail, SessionSummary, TestPreview } from './shapes.js';
import { addReport, hasReport } from './report.js';
import { addResume } from './resume.js';
import { stepsOf } from './steps.js';
import { addThumbnails, Thumbnails } from './thumbnails.js';
import { toolCall, warningsSchema } from './tool-call.js';
import { addVerification } from './verification.js';

/** Characters of one line of the console, and lines that are shown. */
const maxLine = 1000;
const maxLines = 100;

/** The sessions of all grants, and what can be done with each. */
export function addSessions(app: PageApp, options: PageOptions): void {
  const { sessions, contextOf } = options;
  const pictures = new Pictures(sessions);
  const thumbnails = new Thumbnails(sessions);
  const controls = new Controls(options);
  addControl(app, options, controls);
  addEdit(app, options, controls);
  addVerification(app, options);
  addReport(app, options);
  addResume(app, options);
  addThumbnails(app, sessions, thumbnails);

  app.get('/ui/api/sessions', (context) =>
    follow(context, options, () => {
      const list = sessions.list().map((session) => summaryOf(options, session));
      return Promise.resolve(list.reverse());
    }),
  );

  app.get('/ui/api/sessions/:id', (context) => {
    const session = sessions.find(context.req.param('id'));
    const { person } = context.get('login');
    return follow(
      context,
      options,
      () => {
        controls.see(session.id, person);
        thumbnails.see(session);
        return detailOf(options, session, { thumbnails, controls });
      },
      () => pictures.watch(session.id),
    );
  });

  app.get('/ui/api/sessions/:id/test', async (context) => {
    const session = sessions.find(context.req.param('id'));
    const preview = await options.run(context.req.raw.signal, (signal) =>
      previewOf(options, session, signal),
    );
    return context.json(options.secrets.redactAll(preview));
  });

  onPost(
    { app, options },
    'sessions/:session/end',
    { needs: 'operator', action: 'end', body: z.unknown() },
    async ({ id, note }) => {
      const call = { tool: endCodegenSession, args: { sessionId: id, include: ['report'] } };
      const context = contextOf(sessions.find(id).grant);
      const { structured, error } = await toolCall(options, context, call, note);
      const { filePath, verification, warnings } = endedSchema.parse(structured);
      const result: EndResult = { filePath, verification: verification.status, warnings };
      return { ...result, ...(error && { error: failureOf(error) }) };
    },
  );

  onPost(
    { app, options },
    'sessions/:session/clear',
    { needs: 'operator', action: 'clear', body: z.unknown() },
    async ({ id, note }) => {
      const call = { tool: clearCodegenSession, args: { sessionId: id } };
      await toolCall(options, contextOf(sessions.find(id).grant), call, note);
    },
  );
}

const endedSchema = z.looseObject({
  filePath: z.string().optional(),
  verification: z.looseObject({ status: z.string() }).default({ status: 'off' }),
  warnings: warningsSchema,
});

function summaryOf({ sessions }: PageOptions, session: Session): SessionSummary {
  const { id, title, grant, status } = session;
  const list = stepsOf(session);
  return {
    ...{ id, title, grant, status },
    url: sessions.urlOf(session),
    steps: list.length,
    lastAction: list.at(-1)?.code ?? '',
    handOver: sessions.handOverReason(id),
    person: sessions.personOf(id),
  };
}

async function detailOf(
  options: PageOptions,
  session: Session,
  { thumbnails, controls }: { thumbnails: Thumbnails; controls: Controls },
): Promise<SessionDetail> {
  const live = options.sessions.openOf(session.id)?.live;
  const { console = [], network = [], dialogs = [] } = live?.log ?? {};
  return {
    ...summaryOf(options, session),
    file: session.path,
    list: stepsOf(session).map((step) => ({
      ...step,
      thumbnail: thumbnails.idOf(session.steps[step.index]),
    })),
    hasReport: await hasReport(options, session),
    secrets: options
      .contextOf(session.grant)
      .config()
      .secrets.map((secret) => (typeof secret === 'string' ? secret : secret.name)),
    pages: (live?.pages ?? []).map((entry) => ({
      id: entry.id,
      url: entry.page.url(),
      isCurrent: entry === live?.current,
    })),
    asksForFile: controls.asksForFile(session.id),
    openDialog: live && dialogOf(live),
    dialogs: dialogs.slice(-maxLines).map(({ dialog: type, message, answer }) => ({
      type,
      message: rawText(message),
      answer,
    })),
    console: console
      .slice(-maxLines)
      .map(({ level, text }) => ({ level, text: rawText(text).slice(0, maxLine) })),
    network: network
      .filter(({ isAsset }) => isAsset !== true)
      .slice(-maxLines)
      .map(({ method, url, status, failure }) => ({
        method,
        url: rawText(url).slice(0, maxLine),
        outcome: String(status ?? failure ?? 'pending'),
      })),
  };
}

function dialogOf({ dialogs: { open }, log }: Live): SessionDetail['openDialog'] {
  return (
    open && {
      type: open.type,
      message: log.shorten(open.message),
      defaultValue: log.shorten(open.defaultValue),
    }
  );
}

/** The test as ending would write it, and how it differs from the existing file. */
async function previewOf(
  { contextOf }: PageOptions,
  session: Session,
  signal: AbortSignal,
): Promise<TestPreview> {
  const context = contextOf(session.grant);
  const file = await context.guard.checkPath(session.file, session.emission);
  const source = await sessionSource(session, await surroundingsOf(context, session, file, { signal }));
  const code = source.content(file.relative);
  const before = await readFile(file.absolute, 'utf8').catch(() => undefined);
  return { file: file.relative, code, diff: patchOf(file.relative, before, code) };
}
