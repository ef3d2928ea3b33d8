import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '../fixtures.js';

const module = new URL('../../src/server/process.ts', import.meta.url).href;

async function run(code: string): Promise<{ stdout: string; stderr: string }> {
  const source = `
    import { stopWithProcess } from ${JSON.stringify(module)};
    stopWithProcess((code) => process.exit(code));
    ${code}
    setTimeout(() => { console.log("serves"); process.exit(0); }, 100);`;
  return promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source]);
}

test('an unhandled rejection is logged, and the process continues', async () => {
  const { stdout, stderr } = await run('Promise.reject(new Error("of one session"));');
  expect(stdout).toBe('serves\n');
  expect(stderr).toContain('codegen-session-mcp: Error: of one session');
});

test('a text of a page in the log looks like no line of the server, and has no control sequences', async () => {
  const { stderr } = await run('Promise.reject("page\\n\\x1b[2Jcodegen-session-mcp: Open the web UI");');
  expect(stderr).toBe('codegen-session-mcp: page\n  \\u{1b}[2Jcodegen-session-mcp: Open the web UI\n');
});

test('an uncaught exception ends the process', async () => {
  await expect(run('setTimeout(() => { throw new Error("unknown state"); });')).rejects.toMatchObject({
    code: 1,
  });
});
