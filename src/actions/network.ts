import type { Page, Route } from 'playwright';
import { z } from 'zod';
import { CodegenError } from '../model/errors.js';
import { isPattern } from '../model/locator.js';
import { callCode, defineAction, valueCode } from './action.js';
import { checkResponse, expectedResponse, methodSchema, responseCode, statusSchema } from './response.js';
import {
  checkUrl,
  globPattern,
  originOfUrl,
  relativePattern,
  relativeUrl,
  urlMatcher,
  urlPatternSchema,
  type UrlMatcher,
} from './url.js';

const url = urlPatternSchema.describe('URL, glob or regular expression.');

export const waitForResponse = defineAction({
  name: 'waitForResponse',
  description: "Waits for a response that the next action's requests get, and asserts its status and body.",
  target: 'none',
  kind: 'expects',
  fields: z.strictObject({ url, method: methodSchema.optional(), ...expectedResponse }),
  async perform({ page, baseURL, announce }, { url, method, ...expected }) {
    const { signal, abort } = abortable();
    const matches = await urlMatcher(url, baseURL);
    announce({
      happened: page
        .waitForResponse(
          (response) =>
            (method === undefined || response.request().method() === method) &&
            matches({ href: response.url() }),
          { timeout: 0, signal },
        )
        .then((response) => checkResponse(response, expected)),
      missing: `No response of ${[method, valueCode(url)].filter(Boolean).join(' ')} came`,
      cancel: abort,
    });
  },
  origins: () => [],
  normalize: relativePattern,
  emit({ url, method, ...expected }, page, { declare, companions, afterNext }) {
    if (companions.length === 0) return '';
    const promise = declare('responsePromise');
    if (expected.status === undefined && expected.body === undefined) afterNext(`await ${promise};`);
    else {
      const response = declare('response');
      afterNext([`const ${response} = await ${promise};`, ...responseCode(response, expected)].join('\n'));
    }
    if (method === undefined) return `const ${promise} = ${callCode(page, 'waitForResponse', url)};`;
    const test = `${valueCode(isPattern(url) ? url : globPattern(url))}.test(response.url())`;
    return `const ${promise} = ${page}.waitForResponse((response) => ${test} && response.request().method() === ${valueCode(method)});`;
  },
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort() {
      controller.abort();
    },
  };
}

const routeFields = z
  .strictObject({
    url,
    method: methodSchema.optional(),
    status: statusSchema.optional().describe('Of the answer; 200 when left out.'),
    json: z.json().optional().describe('Answers with this JSON.'),
    body: z.string().optional().describe('Answers with this text.'),
    abort: z
      .union([
        z.literal(true),
        z.enum([
          'aborted',
          'accessdenied',
          'addressunreachable',
          'blockedbyclient',
          'blockedbyresponse',
          'connectionaborted',
          'connectionclosed',
          'connectionfailed',
          'connectionrefused',
          'connectionreset',
          'internetdisconnected',
          'namenotresolved',
          'timedout',
          'failed',
        ]),
      ])
      .optional()
      .describe('Fails the request, `true` or with an error of the network.'),
  })
  .check(({ value: { status, json, body, abort }, issues, value }) => {
    const answers = [json, body].filter((each) => each !== undefined).length;
    const isWhole =
      abort === undefined ? answers === 1 || (answers === 0 && status !== undefined) : answers === 0;
    if (isWhole && !(abort !== undefined && status !== undefined)) return;
    issues.push({
      code: 'custom',
      message: 'expected one of json, body and abort, or status alone',
      input: value,
    });
  });

type RouteFields = z.infer<typeof routeFields>;

/** The matchers of a page's routes, by their URLs, since Playwright takes a route back by the same matcher. */
const routes = new WeakMap<Page, Map<string, UrlMatcher>>();

function routesOf(page: Page): Map<string, UrlMatcher> {
  const known = routes.get(page) ?? new Map<string, UrlMatcher>();
  routes.set(page, known);
  return known;
}

export const route = defineAction({
  name: 'route',
  description: 'Answers or fails the requests of the page that match, in place of their server.',
  target: 'none',
  kind: 'passive',
  fields: routeFields,
  async perform({ page, baseURL, show }, fields) {
    const key = JSON.stringify(fields.url);
    const matcher =
      routesOf(page).get(key) ??
      (await urlMatcher(fields.url, baseURL, () => {
        show(`Matching ${key} takes too long: some requests went to their server.`);
      }));
    routesOf(page).set(key, matcher);
    // A request that is gone by now needs no answer.
    await page.route(matcher, (request) => answer(request, fields).catch(() => undefined));
  },
  normalize: relativePattern,
  emit({ url, method, ...fields }, page) {
    const reply =
      fields.abort === undefined
        ? callCode('route', 'fulfill', replyOf(fields))
        : callCode('route', 'abort', reasonOf(fields));
    const handler =
      method === undefined
        ? reply
        : `route.request().method() === ${valueCode(method)} ? ${reply} : route.fallback()`;
    return `await ${page}.route(${valueCode(url)}, (route) => ${handler});`;
  },
});

export const unroute = defineAction({
  name: 'unroute',
  description: 'Takes back the routes of a URL, or all of the page.',
  target: 'none',
  kind: 'passive',
  fields: z.strictObject({ url: url.optional().describe('As in the `route`; all when left out.') }),
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
      throw new CodegenError('INVALID_INPUT', `There is no route of ${key}.`, {
        hint: `Routes of this page: ${[...known.keys()].join(', ') || 'none'}.`,
      });
    await page.unroute(matcher);
    known.delete(key);
  },
  origins: () => [],
  normalize: ({ url }, baseURL) => (url === undefined ? {} : relativePattern({ url }, baseURL)),
  emit: ({ url }, page) =>
    url === undefined ? `await ${page}.unrouteAll();` : `await ${callCode(page, 'unroute', url)};`,
});

async function answer(request: Route, fields: RouteFields): Promise<void> {
  if (fields.method !== undefined && request.request().method() !== fields.method) await request.fallback();
  else if (fields.abort === undefined) await request.fulfill(replyOf(fields));
  else await request.abort(reasonOf(fields));
}

function replyOf({
  status,
  json,
  body,
}: Omit<RouteFields, 'url'>): Pick<RouteFields, 'status' | 'json' | 'body'> {
  return {
    ...(status === undefined ? {} : { status }),
    ...(json === undefined ? {} : { json }),
    ...(body === undefined ? {} : { body }),
  };
}

function reasonOf({ abort }: Omit<RouteFields, 'url'>): string | undefined {
  return abort === true ? undefined : abort;
}

export const request = defineAction({
  name: 'request',
  verifies: true,
  description:
    "Sends a request of the test's own, with the page's cookies, and asserts the answer: that it is OK, unless `expect` says otherwise.",
  target: 'none',
  kind: 'passive',
  fields: z.strictObject({
    method: methodSchema.exclude(['OPTIONS']).default('GET'),
    url: z.string().min(1).describe('http(s) URL; relative where the session has a baseURL.'),
    headers: z.record(z.string().min(1), z.string()).optional().describe('Headers besides the usual ones.'),
    data: z.json().optional().describe('Body: JSON, or a text.'),
    expect: z.strictObject(expectedResponse).optional().describe('What the answer has to be.'),
  }),
  async perform({ page, baseURL, navigationMs, show }, { method, url, expect = {}, ...options }) {
    checkUrl(url, baseURL);
    const response = await page.request.fetch(url, { method, ...options, timeout: navigationMs });
    try {
      const body = await response.text();
      show({ status: response.status(), body });
      await checkResponse(response, expect);
      if (expect.status === undefined && !response.ok())
        throw new CodegenError('ACTION_FAILED', `${response.url()} answered ${response.status()}.`, {
          hint: `If that is meant, say so: "expect": {"status": ${response.status()}}.`,
        });
    } finally {
      await response.dispose();
    }
  },
  origins: ({ url }, baseURL) => [originOfUrl(url, baseURL)],
  normalize: ({ url, ...fields }, baseURL) => ({ ...fields, url: relativeUrl(url, baseURL) }),
  emit({ method, url, expect = {}, ...options }, page, { declare }) {
    const response = declare('response');
    return [
      `const ${response} = await ${callCode(`${page}.request`, method.toLowerCase(), url, options)};`,
      ...(expect.status === undefined ? [`await expect(${response}).toBeOK();`] : []),
      ...responseCode(response, expect),
    ].join('\n');
  },
});
