import type { Locator } from 'playwright';
import { z } from 'zod';
import { quote } from '../codegen/quote.js';
import { CodegenError } from '../model/errors.js';
import { filePath } from './artifact.js';
import { defineAction, type ActionContext, type EmitScope } from './action.js';

const filesSchema = z
  .union([filePath, z.array(filePath).max(20)])
  .describe('Path in the workspace; a list gives several, an empty one takes them away.');

export const setInputFiles = defineAction({
  name: 'setInputFiles',
  description:
    'Gives files to a file input, hidden or not; or to the file chooser that opens when any other target is clicked.',
  target: 'element',
  fields: z.strictObject({ files: filesSchema }),
  playwrightNames: true,
  async perform(context, { files }, element) {
    if (element === undefined) return;
    const paths = await Promise.all([files].flat().map((file) => context.files.readable(file)));
    if (await isFileInput(element)) await element.setInputFiles(paths);
    else await choose(context, element, paths);
  },
  emit({ files }, subject, scope) {
    const paths = typeof files === 'string' ? fileCode(files, scope) : listCode(files, scope);
    if (!scope.signals.some(({ type }) => type === 'filechooser'))
      return `await ${subject}.setInputFiles(${paths});`;
    const promise = scope.declare('fileChooserPromise');
    const chooser = scope.declare('fileChooser');
    return [
      `const ${promise} = ${scope.page}.waitForEvent("filechooser");`,
      `await ${subject}.click();`,
      `const ${chooser} = await ${promise};`,
      `await ${chooser}.setFiles(${paths});`,
    ].join('\n');
  },
});

/** Whether it is a file input, or the label of one. */
function isFileInput(element: Locator): Promise<boolean> {
  return element.evaluate((node) => {
    const control = node instanceof HTMLElement ? (node.closest('label')?.control ?? node) : node;
    return control instanceof HTMLInputElement && control.type === 'file';
  });
}

/** Clicks what opens a file chooser, and answers that. */
async function choose(
  { page, credit, actionMs }: ActionContext,
  element: Locator,
  paths: string[],
): Promise<void> {
  const opened = page.waitForEvent('filechooser', { timeout: actionMs }).catch(() => undefined);
  await element.click();
  const chooser = await opened;
  if (chooser === undefined)
    throw new CodegenError('ACTION_FAILED', 'The click opened no file chooser.', {
      hint: 'Target the file input itself, which may be hidden: locator(\'input[type="file"]\').',
    });
  credit({ type: 'filechooser' });
  await chooser.setFiles(paths);
}

function listCode(files: readonly string[], scope: EmitScope): string {
  return `[${files.map((file) => fileCode(file, scope)).join(', ')}]`;
}

/** The path of a file by its place beside the test, wherever that is started from. */
function fileCode(file: string, { fromSpec, imports }: EmitScope): string {
  imports({ from: 'node:path', default: 'path' });
  return `path.join(path.dirname(test.info().file), ${quote(fromSpec(file))})`;
}
