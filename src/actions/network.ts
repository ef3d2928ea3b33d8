import type { APIResponse, Page, Route } from 'playwright';
import { z } from 'zod';
import {
  call,
  expectThat,
  property,
  run,
  value,
  values,
  variable,
  wait,
  type Expression,
} from '../model/code.js';
import { CodegenError } from '../model/errors.js';
import { isPattern, type TextOrPattern } from '../model/locator.js';
import { defineAction, type ActionContext } from './action.js';
import { limited } from '../network/response-limit.js';
import {
  bodyOf,
  checkResponse,
  expectedResponse,
  maxBody,
  methodSchema,
  responseCode,
  responseName,
  statusSchema,
  unreadable,
} from './response.js';
import {
  checkUrl,
  globPattern,
  originOfUrl,
  relativePattern,
  relativeUrl,
  urlMatcher,
  urlPatternSchema,
  urlSchema,
  type UrlMatcher,
} from './url.js';

const url = urlPatternSchema.describe('URL, glob or regular expression.');

export const waitForResponse = defineAction({
  name: 'waitForResponse',
  description: 'Waits for a response to a request of the next action, and asserts its status and body.',
  kind: 'expects',
  fields: z.strictObject({ url, method: methodSchema.optional(), ...expectedResponse }),
  async perform({ page, baseURL, expectEvent, recent }, { url, method, ...expected }) {
    const aborting = new AbortController();
    const matches = await urlMatcher(url, baseURL);
    const wanted = [method, isPattern(url) ? `/${url.regex}/` : JSON.stringify(url)]
      .filter(Boolean)
      .join(' ');
    const isWanted = (sent: { method: string; url: string }): boolean =>
      (method === undefined || sent.method === method) && matches({ href: sent.url });
    expectEvent({
      happened: page
        .waitForResponse(
          (response) => isWanted({ method: response.request().method(), url: response.url() }),
          { timeout: 0, signal: aborting.signal },
        )
        .then((response) => checkResponse(response, expected, () => bodyOf(response))),
      missing: `No response of ${wanted} arrived`,
      past: recent.some(isWanted) ? `A response of ${wanted} arrived` : undefined,
      cancel() {
        aborting.abort();
      },
    });
  },
  origins: () => [],
  normalize: relativePattern,
  toCode({ url, method, ...expected }, { page, companions, declare }) {
    if (companions.length === 0) return [];
    const name = responseName(url, method);
    const promise = declare(`${name}Promise`);
    const isChecked = expected.status !== undefined || expected.body !== undefined;
    const result = isChecked ? declare(name) : undefined;
    const wanted = method === undefined ? value(url) : matcherCode(url, method);
    const source = call(page, 'waitForResponse', wanted);
    const checks = result === undefined ? [] : responseCode(result, expected);
    return [{ kind: 'start', event: { promise, source, result, checks } }];
  },
});

function matcherCode(url: TextOrPattern, method: string): Expression {
  const response = variable('response');
  const address = call(response, 'url');
  const end = isPattern(url) ? undefined : /^\*\*(\/[^*?{}[\]\\]+)$/.exec(url)?.[1];
  return {
    kind: 'function',
    parameters: ['response'],
    body: {
      kind: 'operation',
      operator: '&&',
      left:
        end === undefined
          ? call(value(isPattern(url) ? url : globPattern(url)), 'test', address)
          : call(address, 'endsWith', value(end)),
      right: usesMethod(call(response, 'request'), method),
    },
  };
}

function usesMethod(request: Expression, method: string): Expression {
  return { kind: 'operation', operator: '===', left: call(request, 'method'), right: value(method) };
}

/** The error codes of Playwright's `route.abort`. */
const errorCodes = [
  ...['aborted', 'accessdenied', 'addressunreachable', 'blockedbyclient', 'blockedbyresponse'],
  ...['connectionaborted', 'connectionclosed', 'connectionfailed', 'connectionrefused', 'connectionreset'],
  ...['internetdisconnected', 'namenotresolved', 'timedout', 'failed'],
];

const routeFields = z
  .strictObject({
    url,
    method: methodSchema.optional(),
    status: statusSchema.optional().describe('Status of the response; 200 by default.'),
    json: z.json().optional().describe('Responds with this JSON.'),
    body: z.string().optional().describe('Responds with this text, as text/plain.'),
    abort: z
      .union([z.literal(true), z.enum(errorCodes)])
      .optional()
      .describe('Aborts the request: `true`, or the name of a network error.'),
  })
  .refine(({ status, json, body, abort }) => {
    const replies = [json, body, abort].filter((each) => each !== undefined).length;
    if (replies === 0) return status !== undefined;
    return replies === 1 && (abort === undefined || status === undefined);
  }, 'expected one of json, body and abort, or status alone');

type RouteFields = z.infer<typeof routeFields>;

/** The matchers of a page's routes by URL, since Playwright's `unroute` needs the same matcher. */
const routes = new WeakMap<Page, Map<string, UrlMatcher>>();

function routesOf(page: Page): Map<string, UrlMatcher> {
  const known = routes.get(page) ?? new Map<string, UrlMatcher>();
  routes.set(page, known);
  return known;
}

export const route = defineAction({
  name: 'route',
  description: 'Fulfills or aborts matching requests of the page instead of their server.',
  kind: 'passive',
  fields: routeFields,
  async perform({ page, baseURL, bound, show }, fields) {
    const key = JSON.stringify(fields.url);
    const matcher =
      routesOf(page).get(key) ??
      (await urlMatcher(fields.url, baseURL, () => {
        show(`Matching ${key} took too long; some requests were sent to their server.`);
      }));
    routesOf(page).set(key, matcher);
    // The request may have been aborted in the meantime.
    await page.route(matcher, async (request) => {
      if (fields.abort === undefined && !bound.mayAnswer(request.request())) {
        show(`${key} does not fulfill requests of a page that received a secret bound to its origin.`);
        await request.fallback().catch(() => undefined);
      } else await answer(request, fields).catch(() => undefined);
    });
  },
  // Any page may request it.
  origins: () => ['every origin'],
  normalize: relativePattern,
  toCode({ url, method, ...fields }, { page }) {
    const request = variable('route');
    const reply =
      fields.abort === undefined
        ? call(request, 'fulfill', ...values(replyOf(fields)))
        : call(request, 'abort', ...values(reasonOf(fields)));
    const body: Expression =
      method === undefined
        ? reply
        : {
            kind: 'choice',
            test: usesMethod(call(request, 'request'), method),
            then: reply,
            otherwise: call(request, 'fallback'),
          };
    return [run(page, 'route', value(url), { kind: 'function', parameters: ['route'], body })];
  },
});

export const unroute = defineAction({
  name: 'unroute',
  description: 'Removes the routes of a URL, or all routes of the page.',
  kind: 'passive',
  fields: z.strictObject({ url: url.optional().describe('The `url` of the route; all routes by default.') }),
  async perform({ page }, { url }) {
    const known = routesOf(page);
    if (url === undefined) {
      await page.unrouteAll();
      known.clear();
      return;
    }
    const key = JSON.stringify(url);
    const matcher = known.get(key);
    if (matcher === undefined)
      throw new CodegenError('INVALID_INPUT', `There is no route for ${key}.`, {
        hint: `Routes of this page: ${[...known.keys()].join(', ') || 'none'}.`,
      });
    await page.unroute(matcher);
    known.delete(key);
  },
  origins: () => [],
  normalize: ({ url }, baseURL) => (url === undefined ? {} : relativePattern({ url }, baseURL)),
  toCode: ({ url }, { page }) => [
    url === undefined ? run(page, 'unrouteAll') : run(page, 'unroute', value(url)),
  ],
});

async function answer(request: Route, fields: RouteFields): Promise<void> {
  if (fields.method !== undefined && request.request().method() !== fields.method) await request.fallback();
  else if (fields.abort === undefined) await request.fulfill(replyOf(fields));
  else await request.abort(reasonOf(fields));
}

/** Prevents a text from running as a document or script of the application's origin, as `evaluate` would. */
const plainText = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };

function replyOf({ status, json, body }: Partial<RouteFields>) {
  return {
    ...(status !== undefined && { status }),
    ...(json !== undefined && { json }),
    ...(body !== undefined && { body, headers: plainText }),
  };
}

function reasonOf({ abort }: Partial<RouteFields>): string | undefined {
  return abort === true ? undefined : abort;
}

const maxRedirectCount = 20;
const redirectStatus = new Set([301, 302, 303, 307, 308]);

interface SentRequest {
  method: string;
  url: string;
  headers?: Record<string, string> | undefined;
  data?: unknown;
  maxRedirects?: number | undefined;
}

/** Sends a request and follows redirects as Playwright does, but only to origins that may receive its secrets. */
async function send(
  { page, baseURL, navigationMs, delivery, found }: ActionContext,
  { url, maxRedirects = maxRedirectCount, ...given }: SentRequest,
): Promise<APIResponse> {
  checkUrl(url, baseURL);
  const timeout = navigationMs;
  if (delivery === undefined) return page.request.fetch(url, { ...given, timeout, maxRedirects });
  let { method, ...options } = given;
  let address = url;
  for (let hops = 0; ; hops++) {
    const response = await page.request.fetch(address, { method, ...options, timeout, maxRedirects: 0 });
    const { location } = response.headers();
    const status = response.status();
    const isRedirect = location !== undefined && redirectStatus.has(status);
    // The test must not follow a redirect that was not checked.
    if (!isRedirect || hops === maxRedirects) {
      found({ maxRedirects: hops });
      return response;
    }
    await response.dispose();
    address = new URL(location, response.url()).href;
    delivery.to(originOfUrl(address, undefined));
    if (status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST')
      [method, options] = ['GET', { headers: options.headers }];
  }
}

export const request = defineAction({
  name: 'request',
  verifies: true,
  description:
    "Sends a request from the test, with the page's cookies, and asserts that the response is OK, or what `expect` says.",
  sendsRequest: true,
  kind: 'passive',
  fields: z.strictObject({
    method: methodSchema.exclude(['OPTIONS']).default('GET'),
    url: urlSchema.describe('http(s) URL; relative if the session has a baseURL.'),
    headers: z.record(z.string().min(1), z.string()).optional().describe('Additional headers.'),
    data: z.json().optional().describe('Body: JSON or text.'),
    maxRedirects: z
      .int()
      .min(0)
      .max(maxRedirectCount)
      .optional()
      .describe(
        'Maximum number of redirects to follow; 20 by default, and with a secret as many as during recording.',
      ),
    expect: z.strictObject(expectedResponse).optional().describe('What to assert about the response.'),
  }),
  async perform(context, { expect = {}, ...sent }) {
    const { show } = context;
    await limited(maxBody, async (received) => {
      const tooLarge = unreadable({ url: () => sent.url });
      const response = await send(context, sent).catch((error: unknown) => {
        throw received.isTooLarge ? tooLarge : error;
      });
      try {
        const body = (await received.body(await response.body()))?.toString();
        if (body === undefined) throw tooLarge;
        show({ status: response.status(), body });
        await checkResponse(response, expect, () => Promise.resolve(body));
        if (expect.status === undefined && !response.ok())
          throw new CodegenError('ACTION_FAILED', `${response.url()} answered ${response.status()}.`, {
            hint: `If you expect that, add "expect": {"status": ${response.status()}}.`,
          });
      } finally {
        await response.dispose();
      }
    });
  },
  origins: ({ url }, baseURL) => [originOfUrl(url, baseURL)],
  normalize: ({ url, ...fields }, baseURL) => ({ ...fields, url: relativeUrl(url, baseURL) }),
  toCode({ method, url, expect = {}, ...options }, { page, declare }) {
    const response = declare(responseName(url, method));
    const sent = call(property(page, 'request'), method.toLowerCase(), ...values(url, options));
    return [
      { kind: 'bind', name: response, value: wait(sent) },
      ...(expect.status === undefined
        ? [expectThat(variable(response), 'toBeOK', [], { retries: 'assertion' })]
        : []),
      ...responseCode(response, expect),
    ];
  },
});
