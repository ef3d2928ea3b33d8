import { z } from 'zod';
import { findUnfinished } from '../session/unfinished.js';
import { startCodegenSession } from '../tools/start-codegen-session.js';
import { onPost } from './access.js';
import { Refusal } from './failures.js';
import type { PageApp, PageOptions } from './options.js';
import type { ResumeResult } from './shapes.js';
import { toolCall, warningsSchema } from './tool-call.js';

const resumedSchema = z.looseObject({ sessionId: z.string(), warnings: warningsSchema });

/** Continues a session that is no longer open, as a call of its agent with `resume` would. */
export function addResume(app: PageApp, options: PageOptions): void {
  const { sessions, contextOf, stateDirectory } = options;
  onPost(
    { app, options },
    'sessions/:session/resume',
    { needs: 'operator', action: 'resume', body: z.unknown() },
    async ({ id, note }): Promise<ResumeResult> => {
      const { grant, path, status } = sessions.find(id);
      if (status === 'open') throw new Refusal(400, 'This session is open.', 'Take over, or end it first.');
      const unfinished = await findUnfinished(stateDirectory, grant, { id });
      const args = { resume: unfinished === undefined ? path : id };
      const call = { tool: startCodegenSession, args };
      const { structured, error } = await toolCall(options, contextOf(grant), call, note);
      if (error !== undefined) throw error;
      const { sessionId, warnings } = resumedSchema.parse(structured);
      note({ resumed: sessionId });
      return { id: sessionId, warnings };
    },
  );
}
