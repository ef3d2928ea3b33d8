import { spawnSync } from 'node:child_process';

/** Sees to it that the servers which tests start are on this machine; as root on Debian they are installed. */

/** Programs by the Debian packages that bring them. */
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
  process.stderr.write(`Installing ${wanted.join(', ')} on this system with apt-get.\n`);
  aptGet('update');
  aptGet('install', '-y', '--no-install-recommends', ...wanted);
}
const left = missing();
if (left.length > 0) {
  process.stderr.write(
    `The tests start ${left.join(', ')}: install them with the packages of your system.\n`,
  );
  process.exitCode = 1;
}
