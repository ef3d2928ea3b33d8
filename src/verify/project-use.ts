import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createSlots } from '../model/slots.js';
import type { BrowserName } from '../model/use.js';
import { questionVariable, type questionSchema } from './plan.js';
import { ownPlaywrightTest, workspacePlaywrightTest } from './playwright-test.js';
import { spawnPlaywright, supervise } from './run.js';
import { workspaceConfigFile } from './wrap-config.js';

/** Milliseconds at most for the workspace's configuration to load. */
const loadingMs = 20_000;

/** Configurations that are loaded at once. */
const slots = createSlots(availableParallelism(), 100);

const answerSchema = z.record(z.string(), z.json());

/** Options of a project's `use`, as far as they are plain data. */
export type ProjectUse = z.infer<typeof answerSchema>;

/**
 * The `use` with which the workspace's own configuration would run a test. Empty where there is none that covers it, or
 * none that loads within `timeoutMs`, the time for a run: running the test tells what is wrong with it.
 */
export async function loadProjectUse(
  workspace: string,
  file: string,
  browserName: BrowserName,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProjectUse> {
  if (workspaceConfigFile(workspace) === undefined) return {};
  const playwright = (await workspacePlaywrightTest(workspace)) ?? (await ownPlaywrightTest());
  const question: z.input<typeof questionSchema> = { workspace, file, browserName };
  const config = fileURLToPath(new URL('./project-config.js', import.meta.url));
  const variables = { [questionVariable]: JSON.stringify(question) };
  const args = ['--list', '--pass-with-no-tests', `--config=${config}`];
  return slots.run(signal, async () => {
    const child = spawnPlaywright(playwright, workspace, variables, args, 'ipc');
    let answer: ProjectUse = {};
    child.on('message', (message) => {
      answer = answerSchema.catch({}).parse(message);
    });
    await supervise(child, Math.min(loadingMs, timeoutMs), signal);
    return answer;
  });
}
