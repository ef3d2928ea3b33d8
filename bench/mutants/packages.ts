import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * Installs the packages of an application outside of this project, once; returns their `node_modules`. Packages are
 * `name@version`, or files. Install scripts don't run.
 */
export async function installPackages(application: string, packages: readonly string[]): Promise<string> {
  const folder = path.join(tmpdir(), 'codegen-bench-mutants', `${application}-${versionsOf(packages)}`);
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  if (!exists) {
    console.log(`Installing ${packages.join(', ')}`);
    const fresh = `${folder}-${process.pid}`;
    await mkdir(fresh, { recursive: true });
    try {
      const args = ['install', '--prefix', fresh, '--ignore-scripts', '--legacy-peer-deps'];
      await execute('npm', [...args, '--no-audit', '--no-fund', ...packages], {
        shell: process.platform === 'win32',
      });
      await rename(fresh, folder);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  return path.join(folder, 'node_modules');
}

function versionsOf(packages: readonly string[]): string {
  return packages.map((name) => path.basename(name).replace(/^.*@/, '')).join('-');
}
