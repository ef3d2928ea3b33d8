import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configState } from '../../src/verify/config-state.js';
import { expect, test } from '../fixtures.js';

async function writeAll(workspace: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(workspace, name)), { recursive: true });
    await writeFile(path.join(workspace, name), text);
  }
}

test('a change of what a configuration depends on changes its state, and no other change does', async ({}, testInfo) => {
  const workspace = testInfo.outputPath('workspace');
  const configFile = path.join(workspace, 'playwright.config.ts');
  await writeAll(workspace, {
    'playwright.config.ts': `import base from './config/base';
import { timeouts } from '@shared/timeouts';
const login = 'playwright/.auth/user.json';
export default { ...base, timeouts, use: existsSync(login) ? { storageState: login } : {} };`,
    'config/base.ts': `const hosts = require("./hosts.js");\nexport default hosts;`,
    'config/hosts.js': 'module.exports = {};',
    'shared/timeouts.ts': 'export const timeouts = {};',
    'tsconfig.json': '{ "compilerOptions": { "paths": { "@shared/*": ["./shared/*"] } } }',
    'package.json': '{}',
    '.env.local': 'HOST=a',
    'e2e/todos.spec.ts': '',
  });
  let before = await configState(workspace, configFile);
  expect(before).toContain('hosts.js');
  for (const name of [
    ...['playwright.config.ts', 'config/base.ts', 'config/hosts.js', 'shared/timeouts.ts', '.env.local'],
    ...['tsconfig.json', 'package.json', 'playwright/.auth/user.json', '.env'],
  ]) {
    await writeAll(workspace, { [name]: '{ "changed": true }' });
    const after = await configState(workspace, configFile);
    expect(after, name).not.toBe(before);
    // What imports the others imports them again.
    if (name.endsWith('.ts'))
      await writeAll(workspace, {
        'playwright.config.ts': `import './config/base.js'; import '@shared/timeouts'; const login = 'playwright/.auth/user.json';`,
        'config/base.ts': `import hosts from './hosts';`,
      });
    before = await configState(workspace, configFile);
  }
  await writeAll(workspace, { 'e2e/todos.spec.ts': '// changed' });
  // Written again, a file is as it was.
  const config = await readFile(configFile, 'utf8');
  await writeFile(configFile, config);
  await utimes(configFile, 1, 1);
  expect(await configState(workspace, configFile)).toBe(before);
  await rm(path.join(workspace, 'playwright/.auth/user.json'));
  expect(await configState(workspace, configFile)).not.toBe(before);
});
