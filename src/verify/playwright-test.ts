import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from 'fs-extra/esm';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';

/** A copy of Playwright Test on this machine. */
export interface PlaywrightTest {
  /** Real path of its package: Playwright must not be loaded under two paths. */
  directory: string;
  version: string;
}

const packageSchema = z.object({ version: z.string() });

/** The copy that tests in the workspace import; undefined if there is none. */
export function workspacePlaywrightTest(workspace: string): Promise<PlaywrightTest | undefined> {
  return resolveFrom(path.join(workspace, 'playwright.config.js'));
}

/** The server's own copy. */
export async function ownPlaywrightTest(): Promise<PlaywrightTest> {
  const own = await resolveFrom(fileURLToPath(import.meta.url));
  if (own !== undefined) return own;
  throw new CodegenError('VERIFY_FAILED', 'The package @playwright/test of this server is missing.', {
    hint: 'Reinstall codegen-session-mcp, or install @playwright/test in the workspace.',
  });
}

async function resolveFrom(file: string): Promise<PlaywrightTest | undefined> {
  // `resolve` caches the paths of packages that have been removed.
  for (const place of createRequire(file).resolve.paths('@playwright/test') ?? [])
    try {
      const manifest = await realpath(path.join(place, '@playwright/test/package.json'));
      const { version } = packageSchema.parse(await readJson(manifest));
      return { directory: path.dirname(manifest), version };
    } catch {
      continue;
    }
  return undefined;
}
