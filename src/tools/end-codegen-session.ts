import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { sessionSource } from './source.js';
import { defineTool, types } from './tool.js';

export const endCodegenSession = defineTool({
  name: 'end_codegen_session',
  title: 'End a codegen session',
  description:
    'Writes the test of a session and closes its page. A failed call leaves the session open and the disk as it was.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    sessionId: z.string().describe('The session to end.'),
    file: z.string().min(1).optional().describe("Instead of the session's own."),
    onConflict: z
      .enum(['fail', 'rename', 'overwrite'])
      .optional()
      .describe('If the file exists; fail if left out, overwrite if resumed.'),
    dryRun: z.boolean().optional().describe('Only show what would be written.'),
  }),
  output: {
    filePath: types.text,
    files: types.objects,
    testCode: types.text,
    warnings: types.texts,
    remaining: types.object,
  },

  async handle(context, { sessionId, file, dryRun = false, ...args }) {
    return context.sessions.use(sessionId, async (session) => {
      if (session.steps.length === 0)
        throw new CodegenError('INVALID_INPUT', 'Nothing has been recorded in this session.', {
          hint: 'Record actions first, or close it with clear_codegen_session.',
        });
      await session.effects?.catchUp();
      const replaces = session.resumed && file === undefined;
      const { onConflict = replaces ? 'overwrite' : 'fail' } = args;
      const { content } = await sessionSource(session);
      const written = await context.guard.write({
        ...session.emission,
        files: [{ file: file ?? session.file, content }],
        onConflict,
        dryRun,
      });
      const [spec] = written;
      if (spec === undefined) throw new CodegenError('WRITE_FAILED', 'No file was written.');
      const { saveSession } = await import('../session/saved.js');
      const warnings = dryRun ? [] : await saveSession(context.stateDirectory, spec.path, session);
      if (!dryRun) await context.sessions.end(session);
      const testCode = content(spec.path);
      const verb = dryRun ? 'Would write' : 'Wrote';
      return {
        structured: {
          filePath: spec.absolutePath,
          files: written.map(({ absolutePath, ...each }) => each),
          testCode,
          warnings,
          remaining: await context.guard.remaining('end_codegen_session'),
        },
        lines: [`${verb} ${spec.path} (${spec.bytes} bytes, ${spec.change}).`],
        pageContent: testCode,
      };
    });
  },
});
