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

/** For each revision: the scenarios that need more than any server has, and why; and some of those that pass. */
const revisions = [
  {
    // What the suite runs by default.
    select: ['--suite', 'active'],
    notApplicable: 'not-applicable.yml',
    passed: ['server-initialize: 3', 'tools-list: 3', 'dns-rebinding-protection: 2'],
    also: [],
  },
  {
    select: ['--suite', 'all', '--spec-version', '2026-07-28'],
    notApplicable: 'not-applicable-stateless.yml',
    passed: ['tools-list: 4', 'http-header-validation: 14', 'input-required-result-validate-input: 3'],
    also: ['server-stateless: 24 passed, 4 failed', 'caching: 5 passed, 2 failed'],
  },
];

test('the official scenarios for any server pass, and the Inspector lists and calls tools', async ({
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

  for (const { select, notApplicable, passed, also } of revisions) {
    const expected = path.resolve('test/server/http', notApplicable);
    const args = ['--url', serving.url, ...select, '--expected-failures', expected];
    // It fails on any other failure, and where one of those no longer is.
    const { stdout } = await run(process.execPath, ['--import', fsOfNode22, conformance, 'server', ...args], {
      cwd: workspace,
    });
    for (const scenario of passed) expect(stdout).toContain(`✓ ${scenario} passed, 0 failed`);
    for (const counts of also) expect(stdout).toContain(counts);
  }
  expect(await serving.stop()).toBe(0);
});
