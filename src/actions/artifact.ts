import { z } from 'zod';
import { quote } from '../codegen/quote.js';

export const artifactPath = z.string().min(1).describe('Path under `.codegen/artifacts/`.');

/** Where a test puts what the session put among its artifacts. */
export function outputPath(path: string): string {
  return `test.info().outputPath(${quote(path.replace(/^\.codegen\/artifacts\//, ''))})`;
}
