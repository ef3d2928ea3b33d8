import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findTemplate } from '../../src/codegen/templates.js';
import { loadSession } from '../../src/session/saved.js';
import { sessionSource } from '../../src/session/test-source.js';
import { checkEmitted, type EmittedFile } from '../codegen/emitted.js';
import { expect, runTests, type Shared } from '../fixtures.js';

/** A flow to record, and what its session starts with. */
export interface Flow {
  title: string;
  use?: Record<string, unknown>;
  /** Has the server run the test before it writes it. */
  verify?: 'require';
  actions: Record<string, unknown>[];
}

export type Language = 'typescript' | 'javascript';

/**
 * Records each flow, checks what is emitted in this language and in the other, and runs it as its owner would: in both
 * languages if the texts differ, which types alone can do. Gives the events that were told.
 */
export async function recordAndRun(
  server: Shared,
  flows: readonly Flow[],
  language: Language,
): Promise<unknown[]> {
  const emitted: EmittedFile[] = [];
  const told: unknown[] = [];
  let tests = 0;
  for (const { actions, verify, ...flow } of flows) {
    const { sessionId } = await server.start({ ...flow, options: { language } });
    const { failed, recorded, events } = await server.record(sessionId, ...actions);
    expect(failed).toBeUndefined();
    expect(recorded).toBe(actions.length);
    told.push(...events);
    const ended = await server.call('end_codegen_session', { sessionId, ...(verify && { verify }) });
    expect(ended.error).toBeUndefined();
    const { filePath, testCode } = ended;
    expect(await readFile(filePath, 'utf8')).toBe(testCode);
    const other = await inOtherLanguage(server.workspace, filePath);
    emitted.push({ name: path.basename(filePath), content: testCode }, other);
    tests += withoutHeader(other.content) === withoutHeader(testCode) ? 1 : 2;
  }
  await checkEmitted(emitted);
  const run = await runTests(server.workspace);
  expect(run.output).toContain(`${tests} passed`);
  expect(run.exitCode).toBe(0);
  return told;
}

/** Emits a test in the other language, and writes it beside it with the pictures that it compares with if it differs. */
async function inOtherLanguage(workspace: string, filePath: string): Promise<EmittedFile> {
  const spec = path.relative(workspace, filePath);
  const saved = await loadSession(path.join(workspace, '.codegen'), spec);
  if (saved === undefined) throw new Error(`No session of ${spec} is saved.`);
  const language = saved.emission.language === 'typescript' ? 'javascript' : 'typescript';
  const other = filePath.replace(/\w+$/, language === 'typescript' ? 'ts' : 'js');
  const { content } = await sessionSource(
    {
      ...saved,
      emission: { outputPath: undefined, ...saved.emission, language },
      id: '',
      grant: 'local',
      path: spec,
      resumed: false,
      status: 'ended',
      lastUrl: '',
    },
    {
      spec,
      template: await findTemplate(saved.emission.template, undefined),
      project: {},
      browserName: 'chromium',
      pages: new Map(),
    },
  );
  const text = content(path.relative(workspace, other));
  if (withoutHeader(text) !== withoutHeader(await readFile(filePath, 'utf8'))) {
    await writeFile(other, text);
    await cp(`${filePath}-snapshots`, `${other}-snapshots`, { recursive: true }).catch(() => undefined);
  }
  return { name: path.basename(other), content: text };
}

/** A test without its first line, which has a hash of the file's name. */
function withoutHeader(text: string): string {
  return text.slice(text.indexOf('\n'));
}
