import { rawText } from '../model/page-text.js';
import { surroundingsOf } from '../session/test-source.js';
import { perform } from './access.js';
import type { PageApp, PageOptions } from './options.js';
import type { VerificationView } from './shapes.js';

/** Bytes of all pictures of one answer; those after them are left out. */
const maxPictureBytes = 6 * 1024 * 1024;

/** Runs the test of a session as ending would, with pictures, and writes nothing. */
export function addVerification(app: PageApp, options: PageOptions): void {
  const { sessions, contextOf, secrets } = options;
  app.post('/ui/api/sessions/:id/verify', async (context) => {
    const { id, grant } = sessions.find(context.req.param('id'));
    const { person } = context.get('login');
    const act = { needs: 'operator', action: 'verify', session: id } as const;
    const view = await perform(options, person, act, (note) =>
      options.run(context.req.raw.signal, async (signal) => {
        const view = await verify(contextOf(grant), id, signal);
        note({ status: view.status });
        return view;
      }),
    );
    return context.json(secrets.redactAll(view));
  });
}

async function verify(
  context: ReturnType<PageOptions['contextOf']>,
  id: string,
  signal: AbortSignal,
): Promise<VerificationView> {
  const { verifySession } = await import('../session/verification/verify-session.js');
  return context.sessions.useRecorded(id, async (session, open) => {
    await open?.autoAssertions?.catchUp();
    const file = await context.guard.checkPath(session.file, session.emission);
    const surroundings = await surroundingsOf(context, session, file, { signal });
    const target = { path: file.relative, absolutePath: file.absolute };
    const { verification, shown, warnings } = await verifySession(
      context,
      { session, surroundings, target, takesPictures: true },
      { signal, progress: () => undefined, begin: () => undefined },
    );
    const { status, runs, passed, durationMs, failure, dropped = [] } = verification;
    const { message, hint, snapshot, ...place } = failure ?? {};
    let bytes = 0;
    const picture = (data: Buffer | undefined): string | undefined => {
      bytes += data?.length ?? 0;
      return bytes > maxPictureBytes ? undefined : data?.toString('base64');
    };
    return {
      ...{ status, runs, passed, durationMs, warnings },
      dropped: dropped.map(({ step, code, reason }) => ({ step, code, reason })),
      failure: failure && {
        ...place,
        message: rawText(message ?? ''),
        hint: rawText(hint ?? ''),
        snapshot: snapshot && rawText(snapshot),
      },
      end: picture(shown?.end),
      pictures: session.steps.map((_, index) => picture(shown?.before.get(index)) ?? ''),
      durations: session.steps.map((_, index) => shown?.durations.get(index)),
    };
  });
}
