import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles `worker.ts` into a directory of the repository: it then starts in a third of the CPU time that tsx takes. */
export async function bundleWorker(directory: string): Promise<string> {
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported only when it is needed stays so.
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
  return path.join(directory, 'worker.mjs');
}
