import type { BrowserContext } from 'playwright';
import { z } from 'zod';

/** The default attribute of `getByTestId`. */
export const defaultTestIdAttribute = 'data-testid';

/** The attributes of contexts with another one. */
const attributes = new WeakMap<BrowserContext, string>();

const channelSchema = z.custom<{
  setTestIdAttributeName: (params: object, options: object) => Promise<unknown>;
}>();

/** Sets the attribute of `getByTestId` for one context; Playwright's own setting applies to the whole process. */
export async function setTestIdAttribute(context: BrowserContext, attribute: string): Promise<void> {
  if (attribute === defaultTestIdAttribute) return;
  attributes.set(context, attribute);
  const channel = channelSchema.parse(Reflect.get(context, '_channel'));
  // Makes Playwright suggest locators with this attribute.
  await channel.setTestIdAttributeName({ testIdAttributeName: attribute }, { signal: undefined, timeout: 0 });
}

/** The selector of `getByTestId` in a context; undefined for the default attribute. */
export function testIdSelector(context: BrowserContext, testId: string | RegExp): string | undefined {
  const attribute = attributes.get(context);
  return attribute === undefined ? undefined : `internal:testid=[${attribute}=${attributeValue(testId)}]`;
}

/** Quotes a value as Playwright does in such a selector. */
function attributeValue(value: string | RegExp): string {
  if (typeof value === 'string') return `"${value.replace(/[\\"]/g, '\\$&')}"s`;
  const isUnicode = value.unicode || value.flags.includes('v');
  return isUnicode
    ? String(value)
    : String(value)
        .replace(/(^|[^\\])(\\\\)*(["'`])/g, '$1$2\\$3')
        .replaceAll('>>', '\\>\\>');
}
