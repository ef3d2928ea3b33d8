import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { Slots } from '../model/slots.js';
import type { ProjectUse } from '../model/use.js';
import { questionVariable, type ProjectQuestion } from './plan.js';
import { ownPlaywrightTest, workspacePlaywrightTest } from './playwright-test.js';
import { spawnPlaywright, supervise } from './run.js';
import { workspaceConfigFile } from './wrap-config.js';

/** Milliseconds at most for the workspace's configuration to load. */
const loadingMs = 20_000;

/** Configurations that are loaded at once. */
const slots = new Slots(availableParallelism(), 100);

const answerSchema = z.record(z.string(), z.json());

/**
 * The `use` with which the workspace's own configuration would run a test. Empty where there is none that covers it, or
 * none that loads within `timeoutMs`, the time for a run: running the test tells what is wrong with it.
 */
export async function loadProjectUse(
  question: ProjectQuestion,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProjectUse> {
  const { workspace } = question;
  if (workspaceConfigFile(workspace) === undefined) return {};
  const playwright = (await workspacePlaywrightTest(workspace)) ?? (await ownPlaywrightTest());
  return slots.run(signal, async () => {
    const child = spawnPlaywright(playwright, {
      workspace,
      config: './project-config.js',
      variables: { [questionVariable]: JSON.stringify(question) },
      args: ['--list'],
      ipc: true,
    });
    let answer: ProjectUse = {};
    child.on('message', (message) => {
      answer = answerSchema.catch({}).parse(message);
    });
    await supervise(child, Math.min(loadingMs, timeoutMs), signal);
    return answer;
  });
}
