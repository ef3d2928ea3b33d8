import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from './fixtures.js';
import { startPages } from './fixtures/pages-server.js';

// Records and verifies one test in a browser: `tsx test/smoke.ts firefox`.
const [browserName = 'chromium'] = process.argv.slice(2);
const workspace = await mkdtemp(path.join(tmpdir(), 'codegen-smoke-'));
await writeFile(
  path.join(workspace, 'codegen.config.json'),
  JSON.stringify({ browser: { name: browserName } }),
);
const pages = await startPages();
const { start, record, call, close } = await connect(workspace);
try {
  const { sessionId } = await start({ title: 'adds a task', url: `${pages.url}/todo.html` });
  const field = 'getByRole("textbox")';
  await record(
    sessionId,
    { action: 'fill', target: field, value: 'Buy tea' },
    { action: 'press', target: field, key: 'Enter' },
    { action: 'expect', target: 'getByRole("listitem")', matcher: 'toHaveCount', expected: 4 },
  );
  const ended = await call('end_codegen_session', { sessionId, verify: 'require' });
  console.log(ended.text);
  process.exitCode = ended.isError ? 1 : 0;
} finally {
  await close();
  await pages.close();
  await rm(workspace, { recursive: true, force: true });
}
