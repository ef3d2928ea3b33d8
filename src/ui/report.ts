import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Session } from '../session/session.js';
import { Refusal } from './failures.js';
import type { PageApp, PageOptions } from './options.js';
import type { ReportView } from './shapes.js';

/** The report of a session's verification, for a sandboxed frame. It has no secrets and no scripts. */
export function addReport(app: PageApp, options: PageOptions): void {
  app.get('/ui/api/sessions/:id/report', async (context) => {
    const session = options.sessions.find(context.req.param('id'));
    const html = await readFile(reportOf(options, session), 'utf8').catch(() => {
      throw new Refusal(404, 'There is no report of this session.', 'End the session here to get one.');
    });
    return context.json({ html } satisfies ReportView);
  });
}

export async function hasReport(options: PageOptions, session: Session): Promise<boolean> {
  if (session.status !== 'ended') return false;
  const info = await stat(reportOf(options, session)).catch(() => undefined);
  return info !== undefined;
}

function reportOf({ workspace, contextOf }: PageOptions, session: Session): string {
  return path.join(workspace, contextOf(session.grant).guard.reportPath(session));
}
