import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { parentPort } from 'node:worker_threads';

/** Milliseconds for Playwright Test to exit before it is killed. */
const graceMs = 4000;

/** A thread that stops the child even while a configuration or a regular expression blocks the main thread. */
new Socket({ fd: 0, readable: true, writable: false })
  .on('error', () => undefined)
  .on('close', () => {
    parentPort?.postMessage('stop');
    setTimeout(kill, graceMs);
  })
  .resume();

/** Kills this process and its descendants, including browsers and web servers in their own process groups. */
function kill(): void {
  const { pid, platform, env } = process;
  if (platform === 'win32') {
    // Absolute, since Windows looks for a bare name in the workspace first.
    const taskkill = path.join(env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe');
    spawnSync(taskkill, ['/T', '/F', '/PID', String(pid)]);
    return;
  }
  for (const each of descendants(pid)) end(each);
  end(-pid);
}

function end(target: number): void {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // It has already exited.
  }
}

/** All descendants of a process. */
function descendants(ancestor: number): number[] {
  const all = processes();
  const below = (of: number): number[] =>
    all.flatMap(({ pid, parent }) => (parent === of ? [pid, ...below(pid)] : []));
  return below(ancestor);
}

/** All processes: from `/proc` if it exists, since not every container has `ps`. */
function processes(): { pid: number; parent: number }[] {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('/bin/ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    return stdout.split('\n').map((line) => {
      const [pid, parent] = line.trim().split(/\s+/).map(Number);
      return { pid: pid ?? 0, parent: parent ?? 0 };
    });
  }
  return readdirSync('/proc').flatMap((name) => {
    try {
      // The name, in parentheses, may contain anything; state and parent follow it.
      const parent = /\) \S (\d+) [^)]*$/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1];
      return parent === undefined ? [] : [{ pid: Number(name), parent: Number(parent) }];
    } catch {
      return [];
    }
  });
}
