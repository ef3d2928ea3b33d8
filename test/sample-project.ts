import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrowser, launchOptions } from '../src/browser/find-browser.js';
import { playwrightTest, test as base, type Shared, type TestRun } from './fixtures.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const projects = path.join(root, 'test', 'fixtures', 'projects');

/** Copies a sample project into a workspace, with this machine's browser and the URL of the application. */
export async function copyProject(name: string, workspace: string, url: string): Promise<void> {
  const found = await findBrowser();
  if (found === undefined) throw new Error('No browser: run `npm run browser`.');
  const use = `'${url}', launchOptions: ${JSON.stringify(launchOptions(found))}`;
  await cp(path.join(projects, name), workspace, { recursive: true });
  for (const config of (await readdir(workspace)).filter((file) => file.startsWith('playwright.config'))) {
    const file = path.join(workspace, config);
    await writeFile(file, (await readFile(file, 'utf8')).replace("'http://app.example'", use));
  }
}

/** Tests with the shared server, in whose workspace a sample project is. */
export const projectTest = base.extend<{
  project: (name: string, config?: object) => Promise<Shared>;
}>({
  workspace: ({ shared }, use) => use(shared.workspace),
  project: async ({ shared, pages }, use) => {
    await use(async (name, config = {}) => {
      await copyProject(name, shared.workspace, pages.url);
      await shared.configure({ verify: { sensitivity: 'off' }, ...config });
      return shared;
    });
  },
});

/** Runs tests of a project with its own configuration, as its owner would. */
export function ownRunner(workspace: string, ...args: string[]): Promise<TestRun> {
  return playwrightTest(workspace, '--reporter=line', ...args);
}
