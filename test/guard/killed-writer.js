import { AsyncLocalStorage } from 'node:async_hooks';
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } =
  fs;

/**
 * A process that writes through the guard, or recovers, once for each file-system call of that: in a copy of the
 * workspace it stops right before that call, for good. Then it kills itself, so that all of them are left at once by a
 * process that was killed at every call in turn. Calls that only read are not counted: they leave the disk as it was.
 */
const { templates, into, config, files, onConflict, faults, intruder, beside } = JSON.parse(
  readFileSync(0, 'utf8'),
);

/** Of one run: its calls so far, the one before which it stops, and what to do when it does. */
const runs = new AsyncLocalStorage();
/** Kept, lest files that stopped runs hold open are closed. */
const forever = [];

/** Whether this call is not to happen, nor any later one of the same run. */
function isStopped() {
  const run = runs.getStore();
  if (run === undefined) return false;
  run.calls += 1;
  if (run.calls === run.killAt) run.stopped();
  return run.killAt > 0 && run.calls >= run.killAt;
}

function call() {
  if (!isStopped()) return undefined;
  const never = new Promise(() => undefined);
  forever.push(never);
  return never;
}

/** What can't wait for ever fails, for ever. */
function callSync() {
  if (isStopped()) throw new Error('stopped');
}
process.on('unhandledRejection', () => undefined);

const failure = (code) => Promise.reject(Object.assign(new Error(code), { code, errno: -1 }));

for (const name of ['link', 'mkdir', 'open', 'rename', 'rm', 'rmdir', 'writeFile']) {
  const original = promises[name];
  promises[name] = async (...args) => {
    if (name !== 'open' || args[1] === 'wx') await call();
    const run = runs.getStore();
    if (name === 'link' && run) {
      if (intruder) writeFileSync(path.join(run.workspace, intruder), 'saved by an editor');
      if (faults.includes('no links')) return failure('EPERM');
      if (faults.includes('another disk') && args[1].includes('backups')) return failure('EXDEV');
    }
    return original(...args);
  };
}
for (const name of ['mkdirSync', 'renameSync', 'rmSync']) {
  const original = fs[name];
  fs[name] = (...args) => {
    callSync();
    return original(...args);
  };
}
fs.writeFileSync = (file, data, options) => {
  const half = data.length >> 1;
  callSync();
  writeFileSync(file, data.slice(0, half), options);
  callSync();
  writeFileSync(file, data.slice(half), { flag: 'a' });
};
syncBuiltinESMExports();

// What is written to a file may also be cut off half-way.
const handle = await promises.open(process.execPath);
const fileHandle = Object.getPrototypeOf(handle);
const { write, writeFile } = fileHandle;
// A kill takes nothing from the system's own memory, so nothing is gained by waiting for the disk.
fileHandle.sync = () => Promise.resolve();
fileHandle.writeFile = async function (content) {
  const data = Buffer.from(content);
  const half = data.length >> 1;
  await call();
  if (half > 0) await write.call(this, data, 0, half);
  await call();
  await writeFile.call(this, data.subarray(half));
};
await handle.close();

const { createGuard } = await import('../../src/guard/guard.js');
const { withHeader } = await import('../../src/model/header.js');
const { compilePolicy } = await import('../../src/config/policy.js');
const { policySchema } = await import('../../src/model/policy.js');
const policy = compilePolicy(policySchema.parse({ version: '1', default: 'allow' }));

async function act(workspace) {
  const guard = createGuard({
    workspace,
    stateDirectory: path.join(workspace, '.codegen'),
    config: () => ({ ...config, policy }),
    caller: { grant: 'local', connection: 'one' },
  });
  if (files === undefined) return guard.recover().then(() => 'recovered');
  const content = (body) => (relativePath) => withHeader(relativePath, body);
  return guard
    .write({
      files: files.map(({ file, body }) => ({ file, content: content(body) })),
      onConflict,
      ...(beside && { beside: () => beside }),
    })
    .then(
      (written) => written.map(({ change }) => change).join(),
      (error) => error.code ?? String(error.stack),
    );
}

/** Copies a directory with its hard links, by which recovery knows what was put in place. */
function copy(from, to, links = new Map()) {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) {
      copy(source, target, links);
      continue;
    }
    const { ino } = statSync(source);
    if (links.has(ino)) linkSync(links.get(ino), target);
    else copyFileSync(source, target);
    links.set(ino, target);
  }
}

/** What the call came to, or undefined where it was stopped. */
function run(template, killAt) {
  const workspace = path.join(into, `${path.basename(template)}-${killAt}`);
  copy(template, workspace);
  return new Promise((resolve, reject) => {
    const state = { workspace, killAt, calls: 0, stopped: () => resolve({ ...state, outcome: null }) };
    runs.run(state, () => act(workspace).then((outcome) => resolve({ ...state, outcome }), reject));
  });
}

const results = [];
for (const template of templates) {
  const whole = await run(template, 0);
  results.push(whole);
  for (let killAt = 1; killAt <= whole.calls; killAt++) results.push(await run(template, killAt));
}
writeSync(
  1,
  JSON.stringify(results.map(({ workspace, killAt, outcome }) => ({ workspace, killAt, outcome }))),
);
process.kill(process.pid, 'SIGKILL');
