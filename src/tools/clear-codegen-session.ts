import { z } from 'zod';
import { defineTool, selfEvident, types } from './tool.js';

export const clearCodegenSession = defineTool({
  name: 'clear_codegen_session',
  title: 'Discard a codegen session',
  description: 'Closes a session and discards its steps; no file is written.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({ sessionId: z.string().meta(selfEvident).describe('The session to discard.') }),
  output: { cleared: types.flag },

  async handle({ sessions }, { sessionId }) {
    return sessions.useRecorded(sessionId, async (session) => {
      await sessions.clear(session);
      return { structured: { cleared: true } };
    });
  },
});
