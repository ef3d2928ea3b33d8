import { z } from 'zod';
import type { Expression } from '../model/code.js';
import { seemsReference } from '../model/template.js';

/** A path, which appears in results, tests and logs and so must not contain a secret. */
export const filePath = z
  .string()
  .min(1)
  .refine((path) => !seemsReference(path), 'expected a path without {{secret:NAME}}');

export const artifactPath = filePath.describe('Path under `.codegen/artifacts/`.');

export function filesCode(files: string | readonly string[]): Expression {
  return typeof files === 'string'
    ? { kind: 'file', path: files }
    : { kind: 'list', items: files.map(filesCode) };
}

/** The path in the test's output for an artifact of the session. */
export function outputPath(path: string): Expression {
  return { kind: 'output path', path: path.replace(/^\.codegen\/artifacts\//, '') };
}
