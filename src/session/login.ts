import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { loginDirectory } from '../model/artifact.js';
import type { Session } from './session.js';

/** Time-out of git. */
const gitMs = 5000;

/** Whether a session records a set-up test. */
export function isSetup({ emission }: Pick<Session, 'emission'>): boolean {
  return emission.setup === true;
}

/** The configuration to add to playwright.config, so that other tests start logged in. */
export function setupAdvice({ steps }: Pick<Session, 'steps'>): string {
  const [state] = savedLogins({ steps });
  const use = state === undefined ? '' : ` use: { storageState: '${state}' },`;
  return `To run it before other tests, add to playwright.config: projects: [{ name: 'setup', testMatch: /.*\\.setup\\.[jt]s/ }, { name: 'chromium',${use} dependencies: ['setup'] }]`;
}

/** Warns of saved logins that git would commit. */
export async function loginWarnings({ steps }: Pick<Session, 'steps'>, workspace: string): Promise<string[]> {
  const [file] = savedLogins({ steps });
  if (file === undefined || !(await isCommitted(workspace, file))) return [];
  return [`${file} contains a login, and git does not ignore it: add ${loginDirectory}/ to .gitignore.`];
}

function savedLogins({ steps }: Pick<Session, 'steps'>): string[] {
  return steps.flatMap(({ action, args: { path } }) =>
    action === 'saveStorageState' && typeof path === 'string' ? [path] : [],
  );
}

/** Whether git would add a file; false without git or a repository. */
async function isCommitted(workspace: string, file: string): Promise<boolean> {
  try {
    await promisify(execFile)('git', ['check-ignore', '--quiet', '--', file], {
      cwd: workspace,
      timeout: gitMs,
    });
    return false;
  } catch (error) {
    // 1: not ignored; 128: no repository.
    return error instanceof Error && 'code' in error && error.code === 1;
  }
}
