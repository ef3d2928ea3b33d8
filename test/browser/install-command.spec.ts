import { mkdir } from 'node:fs/promises';
import { browserInstallCommand } from '../../src/browser/install-command.js';
import { configure, connect, expect, test } from '../fixtures.js';

test("a missing browser is named with the command that downloads this Playwright's build of it", async () => {
  const command = browserInstallCommand('firefox');
  expect(command).toMatch(/^npx playwright@\d+\.\d+\.\d+ install firefox$/);
  const workspace = test.info().outputPath('workspace');
  await mkdir(workspace);
  await configure(workspace, { browser: { name: 'firefox' } });
  const server = await connect(workspace, {
    env: { PLAYWRIGHT_BROWSERS_PATH: test.info().outputPath('none') },
  });
  try {
    expect((await server.start({ url: 'http://127.0.0.1:1/' })).error).toEqual({
      code: 'BROWSER_FAILED',
      message: 'firefox is not installed.',
      hint: `Run \`${command}\`.`,
    });
  } finally {
    await server.close();
  }
});
