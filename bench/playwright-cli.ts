import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findBrowser } from '../src/browser/find-browser.js';
import type { FlowAction } from '../test/demo-flow.js';
import { playTurns, type Run } from './drivers.js';
import type { Flow } from './flow-list.js';
import { installPackages } from './mutants/packages.js';

const name = '@playwright/cli';
const version = '0.1.22';

/** Performs a flow with Playwright's commands for agents. Each starts a process. Assertions are left out. */
export async function runPlaywrightCli({ path: start, turns }: Flow, baseURL: string): Promise<Run> {
  const modules = await installPackages('playwright-cli', [`${name}@${version}`]);
  const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-bench-'));
  const { executablePath } = (await findBrowser()) ?? {};
  const browser = { isolated: true, launchOptions: { executablePath, chromiumSandbox: false } };
  await mkdir(path.join(workspace, '.playwright'));
  await writeFile(path.join(workspace, '.playwright', 'cli.config.json'), JSON.stringify({ browser }));
  const command = [path.join(modules, name, 'playwright-cli.js'), `-s=${path.basename(workspace)}`];
  const call = async (args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [...command, ...args], { cwd: workspace })).stdout;
  try {
    await call(['open']);
    const first = [['goto', `${baseURL}${start}`]];
    return await playTurns(first, turns, { workspace, call, callsOf: commandsOf, look: ['snapshot'] });
  } finally {
    await call(['close']).catch(() => undefined);
    await rm(workspace, { recursive: true, force: true });
  }
}

/** The commands for an action; none for an assertion. */
function commandsOf({ action, target = '', to, ...fields }: FlowAction): string[][] {
  switch (action) {
    case 'click':
    case 'check':
    case 'dblclick':
      return [[action, target]];
    case 'fill':
      return [['fill', target, String(fields['value'])]];
    case 'press':
      return [['press', String(fields['key'])]];
    case 'selectOption':
      return [['select', target, String(fields['values'])]];
    case 'dragTo':
      return [['drag', target, String(to)]];
    case 'expect':
    case 'waitFor':
    case 'step':
      return [];
    default:
      throw new Error(`playwright-cli has no command for ${action}.`);
  }
}
