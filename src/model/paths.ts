import path from 'node:path';

/** Whether a path is a directory itself or lies below it; relative paths start from the current directory. */
export function isInside(directory: string, file: string): boolean {
  const relative = path.relative(directory, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** Files that can be a workspace's Playwright configuration, in the order in which one is chosen. */
export const playwrightConfigNames = ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map(
  (extension) => `playwright.config.${extension}`,
);
