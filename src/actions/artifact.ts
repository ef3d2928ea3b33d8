import { z } from 'zod';
import { quote } from '../codegen/quote.js';
import { seemsReference } from '../model/secrets.js';

/** The path of a file. Names are told everywhere, so that they hold no secret. */
export const filePath = z
  .string()
  .min(1)
  .refine((path) => !seemsReference(path), 'expected a path without {{secret:NAME}}');

export const artifactPath = filePath.describe('Path under `.codegen/artifacts/`.');

/** Where a test puts what the session put among its artifacts. */
export function outputPath(path: string): string {
  return `test.info().outputPath(${quote(path.replace(/^\.codegen\/artifacts\//, ''))})`;
}
