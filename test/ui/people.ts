import type { BrowserContext, Locator, Page } from '@playwright/test';
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
  serving: Serving;
  agent: Connecting;
  /** The latest link that the server printed. */
  link: () => string;
  /** A browser window of somebody who is not logged in. */
  visitor: () => Promise<Page>;
  /** The page of somebody who came by the link. */
  person: () => Promise<Page>;
}

export const test = base.extend<{ config: object; people: People }>({
  /** Beside what `configure` sets. */
  config: [{}, { option: true }],
  people: async ({ workspace, config, browser }, use) => {
    await configure(workspace, config);
    const serving = await serve(workspace, { env: { SHOP_PASSWORD: 'correct horse battery' } });
    const agent = await serving.connect();
    const contexts: BrowserContext[] = [];
    const link = (): string => {
      const links = [...serving.stderr().matchAll(/works once: (\S+)/g)];
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
    await use({ serving, agent, link, visitor, person });
    for (const context of contexts) await context.close();
    await agent.close();
    await serving.stop();
  },
});
