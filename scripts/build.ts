import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const exportsSchema = z.custom<object>((value) => typeof value === 'object' || typeof value === 'function');
const manifestSchema = z.object({
  version: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
});
const { dependencies } = manifestSchema.parse(readJson('package.json'));

/**
 * Loads large CommonJS packages with `require`: Node.js scans those that are imported for the names that they export,
 * which takes 250 ms of each start for Playwright.
 */
const requireLargePackages: Plugin = {
  name: 'require large packages',
  setup(bundle) {
    bundle.onResolve({ filter: /^(?:playwright(?:\/test)?|ts-morph)$/ }, ({ path: name, kind }) =>
      kind === 'require-call' ? { path: name, external: true } : { path: name, namespace: 'required' },
    );
    bundle.onLoad({ filter: /./, namespace: 'required' }, ({ path: name }) => {
      const names = Object.keys(exportsSchema.parse(createRequire(import.meta.url)(name)));
      const exported = names.filter((each) => /^[a-z]\w*$/i.test(each) && each !== 'default');
      const contents = `export const { ${exported.join(', ')} } = require(${JSON.stringify(name)});`;
      return { contents, resolveDir: root };
    });
  },
};

/** Zod's messages in other languages, most of its size. */
const leaveOutLocales: Plugin = {
  name: 'leave out locales',
  setup(bundle) {
    bundle.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {}' }));
  },
};

const forNode = {
  absWorkingDir: root,
  bundle: true,
  preserveSymlinks: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // The main files of some packages are UMD modules, whose imports can not be bundled.
  mainFields: ['module', 'main'],
  target: 'node20',
  outbase: 'src',
  outdir: 'dist',
  // As deep as the rooms of src, so that a module finds files of the package by the same relative URL.
  chunkNames: 'chunks/[name]-[hash]',
  // Bundled CommonJS packages call `require` for modules of Node.js.
  banner: {
    js: "import{createRequire as $createRequire}from'node:module';const require=$createRequire(import.meta.url);",
  },
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

// Few files start faster than the hundreds of modules of the SDK and zod.
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const { metafile } = await build({
  ...forNode,
  entryPoints: [
    'src/cli.ts',
    'src/write-schemas.ts',
    // A test calls it, too.
    'src/session/verification/verify-session.ts',
  ],
  external: Object.keys(dependencies).flatMap((name) => [name, `${name}/*`]),
  plugins: [requireLargePackages],
});
// Loaded by their paths, by Playwright Test and in processes and threads of their own. Each process pays for each file
// that it loads, and its hooks make that slow: these have no dependencies but Playwright.
const children = await build({
  ...forNode,
  entryPoints: ['child', 'watchdog', 'playwright-config', 'project-config', 'reporter'].map(
    (name) => `src/verify/${name}.ts`,
  ),
  external: ['@playwright/test'],
  plugins: [leaveOutLocales],
});
// Loaded with `--require`.
await build({
  ...forNode,
  entryPoints: ['src/verify/compile-cache.ts'],
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  splitting: false,
  banner: {},
});
const page = await build({
  absWorkingDir: root,
  entryPoints: ['src/ui/page/page.tsx', 'src/ui/page/page.css'],
  bundle: true,
  preserveSymlinks: true,
  format: 'esm',
  target: 'es2023',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  outdir: 'dist/ui/page',
  minify: true,
  metafile: true,
  logLevel: 'warning',
});
for (const { imports } of Object.values(metafile.inputs))
  for (const { path: file, kind } of imports)
    // A bundled CommonJS module would have nothing but a default export there.
    if (kind === 'dynamic-import' && metafile.inputs[file]?.format === 'cjs')
      throw new Error(`${file} is imported dynamically: its package has to be one of \`dependencies\`.`);
execFileSync(process.execPath, [path.join(root, 'dist/write-schemas.js')], { stdio: 'inherit' });
writeFileSync(
  path.join(root, 'dist/THIRD_PARTY_LICENSES.txt'),
  licensesOf(Object.keys({ ...metafile.inputs, ...children.metafile.inputs, ...page.metafile.inputs })),
);

/** The license texts of the bundled packages, which most licenses require in copies. */
function licensesOf(inputs: readonly string[]): string {
  const packages = inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []);
  const parts = [...new Set(packages)].sort().map((directory) => {
    const { version, license } = manifestSchema.parse(readJson(`${directory}/package.json`));
    const files = readdirSync(path.join(root, directory)).filter((file) =>
      /^(?:licen[cs]e|notice)/i.test(file),
    );
    const texts = files.map((file) => readFileSync(path.join(root, directory, file), 'utf8').trim());
    if (texts.length === 0)
      texts.push(`This package has no license text: https://spdx.org/licenses/${license}.html`);
    return [`${directory.replace(/^.*node_modules\//, '')} ${version} (${license})`, ...texts].join('\n\n');
  });
  return `${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'));
}
