import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';

/** The command that downloads a browser. Each version of Playwright needs its own build, so it names this one's. */
export function browserInstallCommand(browser: string): string {
  const manifest = createRequire(import.meta.url).resolve('playwright/package.json');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8')));
  return `npx playwright@${version} install ${browser}`;
}
