import { execFileSync } from 'node:child_process';

/** Runs npm and returns what it prints. It is a script on Windows, which only a shell starts. */
export function npm(directory: string, ...args: string[]): string {
  return execFileSync('npm', args, {
    cwd: directory,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
}
