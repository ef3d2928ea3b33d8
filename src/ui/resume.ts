import { z } from 'zod';
import { findUnfinished } from '../session/unfinished.js';
import { startCodegenSession } from '../tools/start-codegen-session.js';
import { perform } from './access.js';
import { Refusal } from './failures.js';
import type { PageApp, PageOptions } from './options.js';
import type { ResumeResult } from './shapes.js';
import { toolCall, warningsSchema } from './tool-call.js';

const resumedSchema = z.looseObject({ sessionId: z.string(), warnings: warningsSchema });

/** Continues a session that is no longer open, as a call of its agent with `resume` would. */
export function addResume(app: PageApp, options: PageOptions): void {
  const { sessions, contextOf, stateDirectory, secrets } = options;
  app.post('/ui/api/sessions/:id/resume', async (context) => {
    const { id, grant, path, status } = sessions.find(context.req.param('id'));
    const { person } = context.get('login');
    const act = { needs: 'operator', action: 'resume', session: id } as const;
    const resumed = await perform(options, person, act, async (note) => {
      if (status === 'open') throw new Refusal(400, 'This session is open.', 'Take over, or end it first.');
      const unfinished = await findUnfinished(stateDirectory, grant, { id });
      const args = { resume: unfinished === undefined ? path : id };
      const { structured, error } = await toolCall(
        options,
        contextOf(grant),
        { tool: startCodegenSession, args },
        note,
      );
      if (error !== undefined) throw error;
      const { sessionId, warnings } = resumedSchema.parse(structured);
      note({ resumed: sessionId });
      return { id: sessionId, warnings };
    });
    return context.json(secrets.redactAll(resumed satisfies ResumeResult));
  });
}
