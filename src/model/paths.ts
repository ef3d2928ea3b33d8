import path from 'node:path';

/** Whether a path is a directory or below it; relative paths start in the current directory. */
export function isInside(directory: string, file: string): boolean {
  const relative = path.relative(directory, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** Names of Playwright's configuration, in the order of precedence. */
export const playwrightConfigNames = ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map(
  (extension) => `playwright.config.${extension}`,
);
