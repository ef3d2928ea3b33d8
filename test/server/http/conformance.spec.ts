import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '../../fixtures.js';
import { serve } from './serving.js';

const run = promisify(execFile);
const modules = path.resolve('node_modules/@modelcontextprotocol');
const conformance = path.join(modules, 'conformance/dist/index.js');
/** Lets the suite run on Node.js 20. */
const fsOfNode22 = path.resolve('test/server/http/fs-of-node-22.js');
const inspector = path.join(modules, 'inspector-cli/build/cli.js');

/** The scenarios that need more than any server has, and why. */
const notApplicable = path.resolve('test/server/http/not-applicable.yml');

test('the official scenarios for any server pass, and the Inspector lists and calls tools', async ({
  workspace,
}) => {
  const serving = await serve(workspace);
  // It fails on any other failure, and where one of those no longer is.
  const suite = ['--import', fsOfNode22, conformance, 'server', '--url', serving.url];
  const args = [...suite, '--expected-failures', notApplicable];
  const { stdout } = await run(process.execPath, args, { cwd: workspace });
  for (const scenario of ['server-initialize', 'tools-list', 'dns-rebinding-protection'])
    expect(stdout).toMatch(new RegExp(`✓ ${scenario}: \\d+ passed, 0 failed`));

  const inspect = async (...args: string[]): Promise<unknown> => {
    const whole = [inspector, '--cli', serving.url, '--transport', 'http', '--method', ...args];
    return JSON.parse((await run(process.execPath, whole)).stdout);
  };
  expect(await inspect('tools/list')).toMatchObject({ tools: { length: 6 } });
  expect(await inspect('tools/call', '--tool-name', 'get_codegen_session')).toMatchObject({
    structuredContent: { sessions: [] },
  });
  expect(await serving.stop()).toBe(0);
});
