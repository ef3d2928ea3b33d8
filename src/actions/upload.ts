import type { Locator } from 'playwright';
import { z } from 'zod';
import { call, finished, run, value, variable, type CodeEvent, type Expression } from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { filePath } from './artifact.js';
import { defineAction, type ActionContext } from './action.js';

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
  toCode({ files }, { subject, page, signals, declare }) {
    const given: Expression =
      typeof files === 'string' ? fileAt(files) : { kind: 'list', items: files.map(fileAt) };
    if (!signals.some(({ type }) => type === 'filechooser')) return [run(subject, 'setInputFiles', given)];
    const promise = declare('fileChooserPromise');
    const result = declare('fileChooser');
    const event: CodeEvent = {
      promise,
      source: call(page, 'waitForEvent', value('filechooser')),
      result,
      checks: [run(variable(result), 'setFiles', given)],
    };
    return [{ kind: 'start', event }, run(subject, 'click'), ...finished(event)];
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

function fileAt(path: string): Expression {
  return { kind: 'file', path };
}
