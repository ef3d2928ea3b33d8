import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { expect, test } from '../../fixtures.js';
import { serveConformance } from '../../fixtures/conformance/serve.js';
import { serve } from './serving.js';

const run = promisify(execFile);
const modules = path.resolve('node_modules/@modelcontextprotocol');
const suite = path.join(modules, 'conformance/dist/index.js');
/** Lets the suite run on Node.js 20. */
const fsOfNode22 = path.resolve('test/server/http/fs-of-node-22.js');
const inspector = path.join(modules, 'inspector-cli/build/cli.js');

/** Runs all that the suite requires of a revision. */
function conform(cwd: string, url: string, revision: string): Promise<{ stdout: string }> {
  const whole = ['--import', fsOfNode22, suite, 'server', '--url', url, '--requirements', revision];
  return run(process.execPath, whole, { cwd });
}

/** What it prints if not all passes. */
const outputOf = (error: unknown): string =>
  z.object({ code: z.literal(1), stdout: z.string() }).parse(error).stdout;

for (const { revision, passed } of [
  { revision: '2025-11-25', passed: ['server-initialize: 3', 'tools-call-elicitation: 2'] },
  { revision: '2026-07-28', passed: ['server-stateless: 29', 'caching: 8'] },
])
  test(`all that the official suite requires of ${revision} passes`, async ({ workspace }) => {
    const site = await serveConformance();
    const { stdout } = await conform(workspace, site.url, revision);
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
  // One run of all takes no longer than a run of two.
  for (const [revision, passed] of [
    [
      '2025-11-25',
      ['server-initialize: 3', 'ping: 2', 'tools-list: 3', 'prompts-list: 2', 'dns-rebinding-protection: 2'],
    ],
    [
      '2026-07-28',
      ['tools-list: 4', 'prompts-list: 2', 'dns-rebinding-protection: 2', 'http-header-validation: 14'],
    ],
  ] as const) {
    const printed = outputOf(
      await conform(workspace, serving.url, revision).catch((error: unknown) => error),
    );
    for (const scenario of passed) expect(printed).toContain(`✓ ${scenario} passed, 0 failed`);
  }
  expect(await serving.stop()).toBe(0);
});
