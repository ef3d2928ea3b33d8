import type { APIResponse, Response } from 'playwright';
import { z } from 'zod';
import { isKept } from '../browser/response-body.js';
import { call, expectThat, value, variable, wait, type Expression, type Statement } from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { parseJson, type Json } from '../model/json.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import { matchedSchema } from '../model/pattern.js';

interface ExpectedResponse {
  status?: number | undefined;
  body?: Json | undefined;
}

/** Characters of a body in an error: more than are shown, since secrets are redacted before it is truncated. */
const maxQuoted = 5000;
/** Maximum bytes of a body. */
export const maxBody = 5_000_000;
export const methodSchema = z
  .enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])
  .describe('HTTP method.');

export const statusSchema = z.int().min(100).max(599);

export const expectedResponse = {
  status: statusSchema.optional().describe('The expected status.'),
  body: z
    .json()
    .refine(
      (body) => body !== '' && (!isPattern(body) || matchedSchema.safeParse(body).success),
      'expected JSON, non-empty text, or a valid {"regex", "flags"}',
    )
    .optional()
    .describe('Expected content: JSON whose objects may have more fields, or part of the text.'),
};

/** The body of a page's response. Throws ACTION_FAILED if it is too large, or the browser has discarded it. */
export async function bodyOf(response: Response): Promise<string> {
  const type = response.request().resourceType();
  const body = (await isKept(response)) ? await response.body().catch(() => undefined) : undefined;
  if (body !== undefined && body.length <= maxBody) return body.toString();
  if (body !== undefined) throw unreadable(response);
  throw unreadable(response, `a body (${type}) that the browser does not keep`);
}

/** The error for a body that can't be checked; by default, because it is too large. */
export function unreadable(
  response: { url: () => string },
  why = `a body of more than ${maxBody} bytes`,
): CodegenError {
  return new CodegenError('ACTION_FAILED', `${response.url()} answered with ${why}.`, {
    hint: 'Expect only the status, or assert what the page shows.',
  });
}

export async function checkResponse(
  response: Pick<Response | APIResponse, 'url' | 'status'>,
  { status, body }: ExpectedResponse,
  read: () => Promise<string>,
): Promise<void> {
  const refuse = (what: string, cause?: unknown): CodegenError =>
    new CodegenError('ACTION_FAILED', `${response.url()} answered ${what}`, {
      hint: 'Expect that answer, or find the reason with include ["network"] and in the snapshot.',
      cause,
    });
  if (status !== undefined && response.status() !== status)
    throw refuse(`${response.status()}, not ${status}.`);
  if (body === undefined) return;
  const text = await read();
  const quoted = JSON.stringify(text.slice(0, maxQuoted));
  if (isPattern(body)) {
    const { matches } = await import('../model/linear.js');
    if (!matches(body, text)) throw refuse(`what does not match /${body.regex}/: ${quoted}`, text);
  } else if (typeof body === 'string') {
    if (!text.includes(body)) throw refuse(`without ${JSON.stringify(body)}: ${quoted}`, text);
  } else {
    if (!holdsJson(parseJson(text), body)) throw refuse(`other JSON, or none: ${quoted}`);
  }
}

/** Like `toMatchObject`: objects may have more properties. Recurses only as deep as the expected value. */
function holdsJson(found: unknown, expected: Json): boolean {
  if (!isObject(expected)) return found === expected;
  if (typeof found !== 'object' || found === null || Array.isArray(found) !== Array.isArray(expected))
    return false;
  if (Array.isArray(found) && Array.isArray(expected) && found.length !== expected.length) return false;
  return Object.entries(expected).every(
    ([key, value]) => Object.hasOwn(found, key) && holdsJson(Reflect.get(found, key), value),
  );
}

const verbs: Record<string, string> = {
  POST: 'created',
  PUT: 'updated',
  PATCH: 'updated',
  DELETE: 'deleted',
};

/** The variable of a response: `createdOrder` for POST /api/orders, `ordersResponse` for GET. */
export function responseName(url: TextOrPattern, method = 'GET'): string {
  const [path = ''] = (isPattern(url) ? url.regex.replace(/\\./g, '/') : url).split(/[?#]/);
  const segments = path.replace(/^\w+:\/\/[^/]*/, '').split('/');
  const name = segments.findLast((segment) => /^(?!api$)[a-z][a-z_-]{2,30}$/i.test(segment));
  if (name === undefined) return 'response';
  const own = name
    .replace(/^[A-Z]+$/, (all) => all.toLowerCase())
    .replace(/[_-]+(\w?)/g, (_, letter: string) => letter.toUpperCase());
  const one = own.replace(/ies$/, 'y').replace(/([^s])s$/, '$1');
  const verb = method === 'POST' && one === own ? undefined : verbs[method];
  return verb === undefined
    ? `${own.charAt(0).toLowerCase()}${own.slice(1)}Response`
    : `${verb}${one.charAt(0).toUpperCase()}${one.slice(1)}`;
}

export function responseCode(name: string, { status, body }: ExpectedResponse): Statement[] {
  const response = variable(name);
  const code: Statement[] = [];
  if (status !== undefined) code.push(expectThat(call(response, 'status'), 'toBe', [value(status)]));
  if (body === undefined) return code;
  const read = (method: string): Expression => wait(call(response, method));
  if (isPattern(body)) return [...code, expectThat(read('text'), 'toMatch', [value(body)])];
  // Not `value(body)`: an object in JSON may look like a pattern.
  const expected: Expression[] = [{ kind: 'value', value: body }];
  if (typeof body === 'string') return [...code, expectThat(read('text'), 'toContain', expected)];
  return [...code, expectThat(read('json'), isObject(body) ? 'toMatchObject' : 'toEqual', expected)];
}

function isObject(value: Json): value is Json[] | { [key: string]: Json } {
  return typeof value === 'object' && value !== null;
}
