import { z } from 'zod';
import { rawText } from '../model/page-text.js';
import { surroundingsOf } from '../session/test-source.js';
import { onPost } from './access.js';
import type { PageApp, PageOptions } from './options.js';
import type { VerificationView } from './shapes.js';

/** Bytes of the pictures in one answer; further ones are left out. */
const maxPictureBytes = 6 * 1024 * 1024;

/** Runs the test of a session as ending it would, with pictures, but writes nothing. */
export function addVerification(app: PageApp, options: PageOptions): void {
  const { sessions, contextOf } = options;
  onPost(
    { app, options },
    'sessions/:session/verify',
    { needs: 'operator', action: 'verify', body: z.unknown() },
    async ({ id, signal, note }) => {
      const context = contextOf(sessions.find(id).grant);
      const view = await options.run(signal, (running) => verify(context, id, running));
      note({ status: view.status });
      return view;
    },
  );
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
