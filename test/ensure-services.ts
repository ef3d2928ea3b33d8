import { spawnSync } from 'node:child_process';

/** Checks that the services which tests start are installed, and installs them as root on Debian. */

/** Debian packages by the programs that they contain. */
const services = { 'redis-server': 'redis-server', 'redis-cli': 'redis-tools', nginx: 'nginx' };

const missing = (): string[] =>
  Object.entries(services)
    .filter(([program]) => spawnSync(program, ['-v']).error !== undefined)
    .map(([, name]) => name);

function aptGet(...args: string[]): void {
  spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

const wanted = missing();
if (wanted.length > 0 && process.getuid?.() === 0) {
  process.stderr.write(`Installing ${wanted.join(', ')} with apt-get.\n`);
  aptGet('update');
  aptGet('install', '-y', '--no-install-recommends', ...wanted);
}
const left = missing();
if (left.length > 0) {
  process.stderr.write(`The tests need ${left.join(', ')}. Install the packages of that name.\n`);
  process.exitCode = 1;
}
