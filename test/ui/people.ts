import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from '@playwright/test';
import { configure, test as base } from '../fixtures.js';
import { serve, type Connecting, type Serving } from '../server/http/serving.js';

/** The rules of axe that a page breaks. */
export async function violations(page: Page): Promise<string[]> {
  const { AxeBuilder } = await import('@axe-core/playwright');
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** `mask` if a picture has the colour of Playwright's masks at a place, given as parts of its width and height. */
export async function colourIn(picture: Locator, x: number, y: number): Promise<string> {
  const [red = 0, green = 0, blue = 0] = await picture.evaluate(
    async (image, place) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d');
      if (!(image instanceof HTMLImageElement) || canvas === null) return [];
      await image.decode();
      canvas.drawImage(image, -place.x * image.naturalWidth, -place.y * image.naturalHeight);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    },
    { x, y },
  );
  return red > 200 && green < 60 && blue > 200 ? 'mask' : `${red} ${green} ${blue}`;
}

/** A server over HTTP with an agent, and people who open its page. */
export interface People {
  workspace: string;
  serving: Serving;
  agent: Connecting;
  /** The latest link that the server printed. */
  link: () => string;
  /** A browser window of somebody who is not logged in. */
  visitor: () => Promise<Page>;
  /** The page of somebody who came by the link. */
  person: () => Promise<Page>;
  /** The lines of the audit log since the test began. */
  log: () => Promise<string>;
}

type Served = Pick<People, 'workspace' | 'serving' | 'agent'>;

/** Serves a workspace until it is stopped. */
async function startServer(workspace: string): Promise<{ served: Served; stop: () => Promise<void> }> {
  const serving = await serve(workspace, { env: { SHOP_PASSWORD: 'correct horse battery' } });
  const agent = await serving.connect();
  const stop = async (): Promise<void> => {
    await agent.close();
    await serving.stop();
  };
  return { served: { workspace, serving, agent }, stop };
}

/** The server of this worker. */
let shared: Promise<Served> | undefined;

async function startShared(directory: string, atEnd: (stop: () => Promise<void>) => void): Promise<Served> {
  const workspace = path.resolve('test-results', directory);
  await mkdir(workspace, { recursive: true });
  await configure(workspace);
  const { served, stop } = await startServer(workspace);
  atEnd(stop);
  return served;
}

/** Lets people come while it is used. */
async function withPeople(
  served: Served,
  browser: Browser,
  use: (people: People) => Promise<void>,
): Promise<void> {
  const contexts: BrowserContext[] = [];
  const link = (): string => {
    const links = [...served.serving.stderr().matchAll(/works once: (\S+)/g)];
    return links.at(-1)?.[1] ?? '';
  };
  const visitor = async (): Promise<Page> => {
    const context = await browser.newContext();
    contexts.push(context);
    return context.newPage();
  };
  const person = async (): Promise<Page> => {
    const page = await visitor();
    await page.goto(link());
    await page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor();
    return page;
  };
  const wholeLog = (): Promise<string> =>
    readFile(path.join(served.workspace, '.codegen/audit.jsonl'), 'utf8').catch(() => '');
  const { length } = await wholeLog();
  const log = async (): Promise<string> => (await wholeLog()).slice(length);
  await use({ ...served, link, visitor, person, log });
  for (const context of contexts) await context.close();
}

export const test = base.extend<{ config: object; served: Served; people: People; alone: People }>({
  /** Beside what `configure` sets. */
  config: [{}, { option: true }],
  served: async ({ atEnd }, use, { parallelIndex }) => {
    shared ??= startShared(`ui-${parallelIndex}-${process.pid}`, atEnd);
    await use(await shared);
  },
  /** On a server that the tests of a worker share: sessions that others have ended are still in its list. */
  people: async ({ served, config, browser }, use) => {
    const { workspace, agent } = served;
    await configure(workspace, { writes: { limits: [] }, ...config });
    await withPeople(served, browser, use);
    await configure(workspace);
    const { sessions } = await agent.call('get_codegen_session');
    for (const { sessionId, status } of sessions)
      if (status !== 'ended') await agent.call('clear_codegen_session', { sessionId });
    const left = ['sessions', 'unfinished', 'artifacts', 'approvals'].map((name) => `.codegen/${name}`);
    for (const name of ['generated-tests', ...left])
      await rm(path.join(workspace, name), { recursive: true, force: true });
  },
  /** On a server of their own. */
  alone: async ({ workspace, config, browser }, use) => {
    await configure(workspace, config);
    const { served, stop } = await startServer(workspace);
    await withPeople(served, browser, use);
    await stop();
  },
});
