/** Measures the cost of the session's proxy: requests with and without it, on new and on kept-alive connections. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { chromium, type BrowserContextOptions } from 'playwright';
import { findBrowser, launchOptions } from '../src/browser/find-browser.js';
import { openProxy } from '../src/network/proxy.js';

const requests = 100;
const rounds = 3;

const found = await findBrowser();
if (found === undefined) throw new Error('No browser: run `npm run browser`.');
const server = createServer((request, response) => {
  if (request.url === '/once') response.setHeader('connection', 'close');
  response.setHeader('content-type', 'text/html').end('<h1>Here</h1>');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
const proxy = await openProxy({ rules: () => ({ allowedOrigins: ['*'], blockedOrigins: [] }) });
const browser = await chromium.launch(launchOptions(found));

/** Milliseconds per request, one after another. */
async function measure(options: BrowserContextOptions, path: string): Promise<number> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  const ms = await page.evaluate(
    async ([where, count]) => {
      const start = performance.now();
      for (let number = 0; number < count; number++) await (await fetch(where, { cache: 'no-store' })).text();
      return performance.now() - start;
    },
    [path, requests] as const,
  );
  await context.close();
  return ms / requests;
}

for (const [path, what] of [
  ['/kept', 'on kept-alive connections'],
  ['/once', 'on new connections'],
] as const) {
  const pairs: { direct: number; proxied: number }[] = [];
  for (let round = 0; round < rounds; round++)
    pairs.push({
      direct: await measure({}, path),
      proxied: await measure({ proxy: proxy.settings }, path),
    });
  const median = (values: number[]): number =>
    values.toSorted((one, other) => one - other)[rounds >> 1] ?? NaN;
  const direct = median(pairs.map((pair) => pair.direct));
  const proxied = median(pairs.map((pair) => pair.proxied));
  const rate = (ms: number): string => `${(1000 / ms).toFixed(0)} a second (${ms.toFixed(2)} ms)`;
  console.log(`requests ${what}: direct ${rate(direct)}, through the proxy ${rate(proxied)}`);
}
await browser.close();
proxy.close();
server.close();
