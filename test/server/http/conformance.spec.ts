import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '../../fixtures.js';
import { serveConformance } from '../../fixtures/conformance/serve.js';
import { serve } from './serving.js';

const run = promisify(execFile);
const modules = path.resolve('node_modules/@modelcontextprotocol');
const suite = path.join(modules, 'conformance/dist/index.js');
/** Lets the suite run on Node.js 20. */
const fsOfNode22 = path.resolve('test/server/http/fs-of-node-22.js');
const inspector = path.join(modules, 'inspector-cli/build/cli.js');

/** Runs the suite; fails if its exit code is not 0. */
async function conform(cwd: string, url: string, ...args: string[]): Promise<string> {
  const whole = ['--import', fsOfNode22, suite, 'server', '--url', url, ...args];
  return (await run(process.execPath, whole, { cwd })).stdout;
}

for (const { revision, passed } of [
  { revision: '2025-11-25', passed: ['server-initialize: 3', 'tools-call-elicitation: 2'] },
  { revision: '2026-07-28', passed: ['server-stateless: 29', 'caching: 8'] },
])
  test(`all that the official suite requires of ${revision} passes`, async ({ workspace }) => {
    const site = await serveConformance();
    const stdout = await conform(workspace, site.url, '--requirements', revision);
    for (const scenario of passed) expect(stdout).toContain(`✓ ${scenario} passed, 0 failed`);
    await site.close();
  });

test('the scenarios that need no tools of the suite pass with ours, and the Inspector lists and calls tools', async ({
  workspace,
}) => {
  const serving = await serve(workspace);
  const inspect = async (...args: string[]): Promise<unknown> => {
    const whole = [inspector, '--cli', serving.url, '--transport', 'http', '--method', ...args];
    return JSON.parse((await run(process.execPath, whole)).stdout);
  };
  expect(await inspect('tools/list')).toMatchObject({ tools: { length: 6 } });
  expect(await inspect('tools/call', '--tool-name', 'get_codegen_session')).toMatchObject({
    structuredContent: { sessions: [] },
  });
  for (const [revision, scenario, passed] of [
    ['2025-11-25', 'server-initialize', 3],
    ['2025-11-25', 'tools-list', 3],
    ['2025-11-25', 'prompts-list', 2],
    ['2025-11-25', 'dns-rebinding-protection', 2],
    ['2026-07-28', 'tools-list', 4],
    ['2026-07-28', 'prompts-list', 2],
    ['2026-07-28', 'http-header-validation', 14],
  ]) {
    const only = ['--scenario', String(scenario), '--spec-version', String(revision)];
    expect(await conform(workspace, serving.url, ...only)).toContain(`Passed: ${passed}/${passed}, 0 failed`);
  }
  expect(await serving.stop()).toBe(0);
});
