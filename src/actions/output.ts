import { z } from 'zod';
import { run, value } from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { takeScreenshot } from '../browser/screenshot.js';
import { showsSecret } from '../browser/typed-secrets.js';
import { artifactPath, outputPath } from './artifact.js';
import { defineAction } from './action.js';

function pathWith(...extensions: string[]): z.ZodString {
  return artifactPath.refine((text) => extensions.some((extension) => text.endsWith(extension)), {
    error: `expected a name that ends in ${extensions.join(', ')}`,
  });
}

export const screenshot = defineAction({
  name: 'screenshot',
  description: 'Takes a screenshot of the page, or of an element; password fields are masked in it.',
  target: 'optional element',
  kind: 'passive',
  fields: z.strictObject({
    path: pathWith('.png', '.jpg', '.jpeg'),
    fullPage: z.boolean().optional().describe('The full page instead of the viewport.'),
  }),
  playwrightNames: true,
  async perform({ page, files }, { path, fullPage = false }, element) {
    if (element !== undefined && fullPage)
      throw new CodegenError('INVALID_INPUT', "fullPage can't be combined with a target.", {
        hint: 'Leave out target or fullPage.',
      });
    const type = path.endsWith('.png') ? 'png' : 'jpeg';
    await files.save(path, await takeScreenshot(page, element, { type, fullPage }));
  },
  toCode({ path, fullPage }, { subject }) {
    const entries = { path: outputPath(path), ...(fullPage === true ? { fullPage: value(true) } : {}) };
    return [run(subject, 'screenshot', { kind: 'record', entries })];
  },
});

export const pdf = defineAction({
  name: 'pdf',
  description: 'Prints the page as a PDF; requires headless Chromium.',
  kind: 'passive',
  fields: z.strictObject({ path: pathWith('.pdf') }),
  playwrightNames: true,
  async perform({ page, files }, { path }) {
    if (await showsSecret(page))
      throw new CodegenError('INVALID_INPUT', 'The PDF would show a secret.', {
        hint: 'Open a page without it, or use screenshot, which masks it.',
      });
    await files.save(path, await page.pdf());
  },
  toCode: ({ path }, { page }) => [run(page, 'pdf', { kind: 'record', entries: { path: outputPath(path) } })],
});
