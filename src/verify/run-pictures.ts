import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from '@playwright/test';
import { z } from 'zod';
import { elementsShowing, passwordField } from '../model/secret-forms.js';
import { playwrightOf } from './pause.js';

/** The global function that a test calls before each step, with what to mask. */
export const pictureFunction = 'codegenSessionPicture';

/** Name of the attachment with the page at a test's failure. */
export const failurePicture = 'codegen-failure';

/** Time-out of a screenshot, after which the test continues without it. */
const pictureMs = 3000;

const engine = 'codegen-secrets';

const timesName = 'times.jsonl';

const timeSchema = z.object({ name: z.string(), start: z.number(), end: z.number() });

/** Lets the tests of this process take screenshots between steps. `file` imports their copy of Playwright Test. */
export async function installPictures(
  directory: string,
  secrets: readonly string[],
  file: string,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const screenshot = await screenshotsWithout(secrets, file);
  const shoot = async (page: Page, name: string, mask: readonly Locator[]): Promise<void> => {
    const start = Date.now();
    const data = await screenshot(page, mask);
    if (data !== undefined) await writeFile(path.join(directory, `${name}.jpeg`), data);
    const time: z.infer<typeof timeSchema> = { name, start, end: Date.now() };
    await appendFile(path.join(directory, timesName), `${JSON.stringify(time)}\n`);
  };

  const watched = new WeakSet<BrowserContext>();
  let latest: { page: Page; mask: readonly Locator[] } | undefined;
  Reflect.set(globalThis, pictureFunction, async (page: Page, step: number, mask: Locator[]) => {
    const context = page.context();
    if (!watched.has(context)) {
      watched.add(context);
      beforeClose(context, async () => {
        if (latest?.page.context() === context) await shoot(latest.page, 'end', latest.mask);
      });
    }
    latest = { page, mask };
    await shoot(page, String(step), mask);
  });
}

/** Attaches a screenshot of its last page to each test of this process that fails. */
export async function installFailurePictures(secrets: readonly string[], file: string): Promise<void> {
  const screenshot = await screenshotsWithout(secrets, file);
  const { test, chromium, firefox, webkit } = playwrightOf(file);
  const attach = async (context: BrowserContext): Promise<void> => {
    const info = test.info();
    const page = context.pages().at(-1);
    if (page === undefined || info.status === info.expectedStatus) return;
    const body = await screenshot(page);
    if (body !== undefined) await info.attach(failurePicture, { body, contentType: 'image/jpeg' });
  };
  const watch = (browser: Browser): Browser => {
    const open = browser.newContext.bind(browser);
    browser.newContext = async (options) => {
      const context = await open(options);
      // A context that closes outside of a test has nothing to show.
      beforeClose(context, () => attach(context).catch(() => undefined));
      return context;
    };
    return browser;
  };
  for (const type of [chromium, firefox, webkit]) {
    const [launch, connect] = [type.launch.bind(type), type.connect.bind(type)];
    type.launch = async (options) => watch(await launch(options));
    Reflect.set(type, 'connect', async (...args: Parameters<typeof connect>) =>
      watch(await connect(...args)),
    );
  }
}

/** Playwright Test closes a context after the test, even after a failure. */
function beforeClose(context: BrowserContext, work: () => Promise<void>): void {
  const close = context.close.bind(context);
  context.close = async (options) => {
    await work();
    await close(options);
  };
}

/** Takes screenshots in which password fields and the values of secrets are masked; undefined if that fails. */
async function screenshotsWithout(
  secrets: readonly string[],
  file: string,
): Promise<(page: Page, mask?: readonly Locator[]) => Promise<Buffer | undefined>> {
  const values = secrets.flatMap((name) => process.env[name] || []);
  if (values.length > 0)
    await playwrightOf(file).selectors.register(
      engine,
      { content: `(() => { ${String(elementsShowing)}\nreturn (${String(secretEngine)})(); })()` },
      { contentScript: true },
    );
  // A quote would open a string of the selector.
  const body = encodeURIComponent(JSON.stringify(values)).replaceAll("'", '%27');
  const hidden = (page: Page): Locator[] =>
    page
      .frames()
      .flatMap((frame) => [
        frame.locator(passwordField),
        ...(values.length > 0 ? [frame.locator(`${engine}=${body}`)] : []),
      ]);
  return (page, mask = []) =>
    page
      .screenshot({
        ...({ type: 'jpeg', quality: 60, scale: 'css', timeout: pictureMs } as const),
        mask: [...mask, ...hidden(page)],
      })
      .catch(() => undefined);
}

/** Runs in Playwright's isolated world: finds elements that show one of the values, and fields with a part of one. */
function secretEngine(): object {
  const queryAll = (root: ParentNode, body: string): Element[] => {
    const values: unknown = JSON.parse(decodeURIComponent(body));
    const secrets = Array.isArray(values) ? values.map((each) => String(each).toLowerCase()) : [];
    const elements = (node: ParentNode): Element[] =>
      Array.from(node.querySelectorAll('*')).flatMap((each) => [
        each,
        ...(each.shadowRoot === null ? [] : elements(each.shadowRoot)),
      ]);
    const all = elements(root);
    // Fields with a part of a value.
    const parts = all.filter(
      (element) =>
        'value' in element &&
        typeof element.value === 'string' &&
        element.value !== '' &&
        secrets.some((each) => each.includes(String(element.value).toLowerCase())),
    );
    return [...new Set([...elementsShowing(all, secrets), ...parts])];
  };
  return { queryAll, query: (root: ParentNode, body: string) => queryAll(root, body)[0] ?? null };
}

/** Screenshots of a run, and the durations of its steps. */
export interface RunPictures {
  /** JPEGs of the page before each step, by step index. */
  before: ReadonlyMap<number, Buffer>;
  end: Buffer | undefined;
  /** Milliseconds of each step including its assertions. */
  durations: ReadonlyMap<number, number>;
}

export async function readRunPictures(directory: string): Promise<RunPictures> {
  const lines = await readFile(path.join(directory, timesName), 'utf8').catch(() => '');
  const all = lines.split('\n').flatMap((line) => (line === '' ? [] : timeSchema.parse(JSON.parse(line))));
  const names = all.map(({ name }) => name);
  // The first step marks the start of each repetition.
  const times = all.slice(names.lastIndexOf(names[0] ?? ''));
  const before = new Map<number, Buffer>();
  const durations = new Map<number, number>();
  let end: Buffer | undefined;
  for (const [index, { name, end: from }] of times.entries()) {
    const data = await readFile(path.join(directory, `${name}.jpeg`)).catch(() => undefined);
    const next = times[index + 1];
    if (name === 'end') end = data;
    else if (data !== undefined) before.set(Number(name), data);
    if (next !== undefined) durations.set(Number(name), next.start - from);
  }
  return { before, end, durations };
}
