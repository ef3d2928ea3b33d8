/** Takes the pictures of the web UI that the README and its page show: `npm run docs:picture`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Page } from '@playwright/test';
import gifenc from 'gifenc';
import { findBrowser, launchOptions } from '../../src/browser/find-browser.js';
import { configure } from '../fixtures.js';
import { startPages } from '../fixtures/pages-server.js';
import { serve } from '../server/http/serving.js';

const size = { width: 1100, height: 700 };
/** Milliseconds for which each picture is shown. */
const shownMs = 1800;
/** Milliseconds for the live picture to follow the page. */
const followMs = 500;

const found = await findBrowser();
if (found === undefined) throw new Error('No browser: run `npm run browser`.');
const workspace = await mkdtemp(path.join(tmpdir(), 'picture-'));
await configure(workspace, { autoAssert: true });
const [pages, serving] = await Promise.all([startPages(), serve(workspace)]);
const [agent, browser] = await Promise.all([serving.connect(), chromium.launch(launchOptions(found))]);
const blank = await browser.newPage();
try {
  const { sessionId } = await agent.start({
    title: 'Adds a task',
    url: `${pages.url}/todo.html`,
    use: { viewport: { width: 640, height: 480 } },
  });
  const page = await browser.newPage({ colorScheme: 'dark', viewport: size, reducedMotion: 'reduce' });
  await page.goto(/works once: (\S+)/.exec(serving.stderr())?.[1] ?? '');
  await page.getByRole('link', { name: 'Adds a task' }).click();
  await page.getByRole('img', { name: 'The live page' }).waitFor();

  const frames = [await frame(page)];
  const target = "getByRole('textbox')";
  await agent.record(
    sessionId,
    { action: 'fill', target, value: 'Buy tea', note: 'New tasks go to the end.' },
    { action: 'press', target, key: 'Enter' },
  );
  await page.getByText('3 items left').waitFor();
  frames.push(await frame(page));
  await page.screenshot({ path: 'docs/ui.png' });
  const task = "getByRole('listitem').filter({ hasText: 'Buy tea' }).getByRole('checkbox')";
  await agent.record(sessionId, { action: 'check', target: task, note: 'Tea is bought.' });
  await page.getByText('.check()').waitFor();
  frames.push(await frame(page));
  await agent.record(sessionId, { action: 'click', target: "getByRole('link', { name: 'Active' })" });
  await page.getByText('#active').first().waitFor();
  frames.push(await frame(page));
  await page.getByRole('button', { name: 'Show the test' }).click();
  const test = page.getByRole('region', { name: 'The test ', exact: false });
  await test.scrollIntoViewIfNeeded();
  frames.push(await frame(page));
  await writeFile('docs/session.gif', movingPicture(frames));
} finally {
  await Promise.all([browser.close(), agent.close()]);
  await Promise.all([serving.stop(), pages.close()]);
  await rm(workspace, { recursive: true, force: true });
}

/** The pixels of a page, which has had the time to show what just happened. */
async function frame(page: Page): Promise<Uint8ClampedArray> {
  await page.waitForTimeout(followMs);
  const png = await page.screenshot();
  const pixels = await blank.evaluate(
    async ({ source, width, height }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${source}`;
      await image.decode();
      const canvas = new OffscreenCanvas(width, height).getContext('2d');
      canvas?.drawImage(image, 0, 0);
      const reader = new FileReader();
      const read = new Promise((resolve) => (reader.onload = resolve));
      reader.readAsDataURL(new Blob([canvas?.getImageData(0, 0, width, height).data ?? '']));
      await read;
      return typeof reader.result === 'string' ? reader.result.replace(/^.*,/, '') : '';
    },
    { source: png.toString('base64'), ...size },
  );
  return Uint8ClampedArray.from(Buffer.from(pixels, 'base64'));
}

/** An endless GIF of frames. */
function movingPicture(frames: readonly Uint8ClampedArray[]): Uint8Array {
  const gif = gifenc.GIFEncoder();
  for (const pixels of frames) {
    const palette = gifenc.quantize(pixels, 256);
    gif.writeFrame(gifenc.applyPalette(pixels, palette), size.width, size.height, {
      palette,
      delay: shownMs,
    });
  }
  gif.finish();
  return gif.bytes();
}
