import path from 'node:path';

/** Whether a path is a directory itself or lies below it; relative paths start from the current directory. */
export function isInside(directory: string, file: string): boolean {
  const relative = path.relative(directory, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
