import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { packExtension } from '@anthropic-ai/mcpb';
import { bundleManifest } from '../docs/manifests.js';
import { npm } from './npm.js';

// Builds the bundle for Claude Desktop: `tsx scripts/bundle.ts [file]`, after a build.
const root = fileURLToPath(new URL('..', import.meta.url));
const file = path.resolve(process.argv[2] ?? path.join(root, 'bundle', `${bundleManifest.name}.mcpb`));
const staging = mkdtempSync(path.join(tmpdir(), 'codegen-bundle-'));
try {
  // The bundle holds what `npm install` makes of the package.
  const tarball = npm(root, 'pack', '--silent', '--ignore-scripts', '--pack-destination', staging).trim();
  npm(
    staging,
    'install',
    '--silent',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    `./${tarball}`,
  );
  rmSync(path.join(staging, tarball));
  cpSync(path.join(root, 'icons/icon.png'), path.join(staging, bundleManifest.icon));
  writeFileSync(path.join(staging, 'manifest.json'), JSON.stringify(bundleManifest, null, 2));
  mkdirSync(path.dirname(file), { recursive: true });
  if (!(await packExtension({ extensionPath: staging, outputPath: file, silent: true })))
    throw new Error('The bundle was not built: its manifest is invalid.');
} finally {
  rmSync(staging, { recursive: true, force: true });
}
