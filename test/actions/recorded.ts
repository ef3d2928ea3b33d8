import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { checkEmitted, type EmittedFile } from '../codegen/emitted.js';
import { expect, runTests, type Connection } from '../fixtures.js';

/** A flow to record, and what its session starts with. */
export interface Flow {
  title: string;
  use?: Record<string, unknown>;
  /** Has the server run the test before it writes it. */
  verify?: 'require';
  actions: Record<string, unknown>[];
}

export type Language = 'typescript' | 'javascript';

/** Records each flow in each language, checks what is emitted, and runs it all as its owner would. */
export async function recordAndRun(
  server: Connection,
  workspace: string,
  flows: readonly Flow[],
  languages: readonly Language[],
): Promise<EmittedFile[]> {
  const emitted: EmittedFile[] = [];
  for (const { actions, verify, ...flow } of flows)
    for (const language of languages) {
      const { sessionId } = await server.start({ ...flow, options: { language } });
      const recorded = await server.record(sessionId, ...actions);
      expect(recorded.failed).toBeUndefined();
      expect(recorded.recorded).toBe(actions.length);
      const ended = await server.call('end_codegen_session', { sessionId, ...(verify && { verify }) });
      expect(ended.error).toBeUndefined();
      const { filePath, testCode } = ended;
      const content = await readFile(filePath, 'utf8');
      expect(content).toBe(testCode);
      emitted.push({ name: path.basename(filePath), content });
    }
  await checkEmitted(emitted);
  const run = await runTests(workspace);
  expect(run.output).toContain(`${emitted.length} passed`);
  expect(run.exitCode).toBe(0);
  return emitted;
}
