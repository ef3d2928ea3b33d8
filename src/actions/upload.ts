import type { Locator } from 'playwright';
import { z } from 'zod';
import {
  call,
  finished,
  run,
  value,
  values,
  variable,
  type CodeEvent,
  type Expression,
} from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { filePath, filesCode } from './artifact.js';
import { position, timeout } from './pointer.js';
import { defineAction, type ActionContext } from './action.js';

const filesSchema = z
  .union([filePath, z.array(filePath).max(20)])
  .describe('Path in the workspace, or a list of paths; an empty list clears the input.');

export const setInputFiles = defineAction({
  name: 'setInputFiles',
  description:
    'Sets the files of a file input, hidden or not, or of the file chooser that opens when another target is clicked.',
  target: 'element',
  fields: z.strictObject({ files: filesSchema }),
  playwrightNames: true,
  async perform(context, { files }, element) {
    if (element === undefined) return;
    const endsAt = performance.now() + context.actionMs;
    const paths = await Promise.all([files].flat().map((file) => context.files.readable(file)));
    if (await isFileInput(element)) await element.setInputFiles(paths);
    else await choose(context, element, { paths, endsAt });
  },
  toCode({ files }, { subject, page, signals, declare }) {
    const given = filesCode(files);
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

export const drop = defineAction({
  name: 'drop',
  description: 'Drops files or data on an element, as if dragged there from another window.',
  target: 'element',
  playwrightNames: true,
  fields: z
    .strictObject({
      files: z
        .union([filePath, z.array(filePath).min(1).max(20)])
        .optional()
        .describe('Path in the workspace, or a list of them.'),
      data: z
        .record(z.string().min(1), z.string())
        .optional()
        .describe('Text by media type, e.g. `text/plain`.'),
      position: position.optional(),
      timeout,
    })
    .refine(({ files, data }) => (files ?? data) !== undefined, 'expected files, data or both'),
  async perform(context, { files = [], data, ...options }, element) {
    const paths = await Promise.all([files].flat().map((file) => context.files.readable(file)));
    const payload = { ...(paths.length > 0 && { files: paths }), ...(data && { data }) };
    await element?.drop(payload, options);
  },
  toCode({ files, data, ...options }, { subject }) {
    const entries: Record<string, Expression> = {
      ...(files === undefined ? {} : { files: filesCode(files) }),
      ...(data === undefined ? {} : { data: value(data) }),
    };
    return [run(subject, 'drop', { kind: 'record', entries }, ...values(options))];
  },
});

/** Whether it is a file input, or the label of one. */
function isFileInput(element: Locator): Promise<boolean> {
  return element.evaluate((node) => {
    const control = node instanceof HTMLElement ? (node.closest('label')?.control ?? node) : node;
    return control instanceof HTMLInputElement && control.type === 'file';
  });
}

/** Clicks an element and answers the file chooser that it opens. */
async function choose(
  { page, credit }: ActionContext,
  element: Locator,
  { paths, endsAt }: { paths: string[]; endsAt: number },
): Promise<void> {
  const timeout = Math.max(1, endsAt - performance.now());
  const opened = page.waitForEvent('filechooser', { timeout }).catch(() => undefined);
  await element.click();
  const chooser = await opened;
  if (chooser === undefined)
    throw new CodegenError('ACTION_FAILED', 'The click opened no file chooser.', {
      hint: 'Target the file input, which may be hidden: locator(\'input[type="file"]\').',
    });
  credit({ type: 'filechooser' });
  await chooser.setFiles(paths);
}
