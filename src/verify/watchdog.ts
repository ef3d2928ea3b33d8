import { spawnSync } from 'node:child_process';
import { Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';

/** Milliseconds for Playwright Test to end by itself. */
const graceMs = 4000;

/** The thread of the child that sees to its end, even while a configuration or an expression blocks the main one. */
new Socket({ fd: 0, readable: true, writable: false })
  .on('error', () => undefined)
  .on('close', () => {
    parentPort?.postMessage('stop');
    setTimeout(kill, graceMs);
  })
  .resume();

/** Ends this process, its workers and theirs. Browsers notice that they are left alone, and end. */
function kill(): void {
  if (process.platform === 'win32') spawnSync('taskkill', ['/T', '/F', '/PID', String(process.pid)]);
  else process.kill(-process.pid, 'SIGKILL');
}
