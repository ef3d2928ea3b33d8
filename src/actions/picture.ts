import { z } from 'zod';
import { value, values, type Expression } from '../model/code.js';
import type { Json } from '../model/json.js';
import { filePath, filesCode } from './artifact.js';

const flag = z.boolean().optional();
const pictureTargets = z.array(z.string().min(1).max(5000)).min(1).max(50);
const styleSheets = z.union([filePath, z.array(filePath).min(1).max(10)]);

/** The options of `toHaveScreenshot`; `mask` holds targets, `stylePath` files of the workspace. */
export const pictureOptions = z.strictObject({
  animations: z.enum(['disabled', 'allow']).optional(),
  caret: z.enum(['hide', 'initial']).optional(),
  mask: pictureTargets.optional(),
  maxDiffPixelRatio: z.number().min(0).max(1).optional(),
  maxDiffPixels: z.int().min(0).optional(),
  omitBackground: flag,
  scale: z.enum(['css', 'device']).optional(),
  stylePath: styleSheets.optional(),
  threshold: z.number().min(0).max(1).optional(),
  fullPage: flag,
});

interface PictureFields {
  name?: string | undefined;
  options?: { [name: string]: Json } | undefined;
}

/** The arguments of `toHaveScreenshot`; `mask` has the locators of its targets. */
export function pictureCode(
  { name, options = {} }: PictureFields,
  mask: readonly Expression[],
): Expression[] {
  const entries = Object.entries(options).map(([option, given]): [string, Expression] => {
    if (option === 'mask') return [option, { kind: 'list', items: mask }];
    return [option, option === 'stylePath' ? filesCode(styleSheets.parse(given)) : value(given)];
  });
  return entries.length === 0
    ? values(name)
    : [...values(name), { kind: 'record', entries: Object.fromEntries(entries) }];
}

export function styleSheetsOf({ options }: PictureFields): string[] {
  return [pictureOptions.safeParse(options).data?.stylePath ?? []].flat();
}

const maskSchema = z.object({ options: z.object({ mask: pictureTargets }) });

/** The targets that an assertion masks in its screenshot. */
export function maskOf(args: unknown): string[] {
  return maskSchema.safeParse(args).data?.options.mask ?? [];
}
