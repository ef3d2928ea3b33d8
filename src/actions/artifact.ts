import { z } from 'zod';
import type { Expression } from '../model/code.js';
import { seemsReference } from '../model/template.js';

/** The path of a file. Results, tests and logs name it, so it must hold no secret. */
export const filePath = z
  .string()
  .min(1)
  .refine((path) => !seemsReference(path), 'expected a path without {{secret:NAME}}');

export const artifactPath = filePath.describe('Path under `.codegen/artifacts/`.');

/** Files of the workspace, as a test names them. */
export function filesCode(files: string | readonly string[]): Expression {
  return typeof files === 'string'
    ? { kind: 'file', path: files }
    : { kind: 'list', items: files.map(filesCode) };
}

/** Where a test writes what the session wrote among its artifacts. */
export function outputPath(path: string): Expression {
  return { kind: 'output path', path: path.replace(/^\.codegen\/artifacts\//, '') };
}
