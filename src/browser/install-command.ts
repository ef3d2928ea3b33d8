import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';

/** The command that downloads a browser. Each Playwright version needs its own build, so the command names the version. */
export function browserInstallCommand(browser: string): string {
  const manifest = createRequire(import.meta.url).resolve('playwright/package.json');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8')));
  return `npx playwright@${version} install ${browser}`;
}
