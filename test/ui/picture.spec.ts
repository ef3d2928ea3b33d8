import { writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import gifenc from 'gifenc';
import { expect } from '../fixtures.js';
import { test } from './people.js';

const size = { width: 1100, height: 700 };
/** Milliseconds for which each picture is shown. */
const shownMs = 1800;
/** Milliseconds for the live picture to follow the page. */
const followMs = 500;

test.use({ config: { autoAssert: true } });

/** With `--update-snapshots` (`npm run docs:picture`), it also takes the pictures. */
test('the pictures in the documentation show the web UI as it is', async ({
  people: { agent, person, visitor },
  pages,
}) => {
  const { sessionId } = await agent.start({
    title: 'Adds a task',
    url: `${pages.url}/todo.html`,
    use: { viewport: { width: 640, height: 480 } },
  });
  const page = await person();
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.getByRole('link', { name: 'Adds a task' }).click();
  await page.getByRole('img', { name: 'The live page' }).waitFor();
  const isTaken = ['all', 'changed'].includes(test.info().config.updateSnapshots);
  const frames: Uint8ClampedArray[] = [];
  const steps = page.getByRole('region', { name: 'Steps' });
  /** Waits for the thumbnail of a step, and takes a frame if pictures are taken. */
  const frame = async (step: number): Promise<void> => {
    await steps.getByRole('listitem').nth(step).scrollIntoViewIfNeeded();
    await expect(steps.getByRole('img', { name: `The page after step ${step}` })).toBeVisible();
    if (isTaken) frames.push(await pixelsOf(page, await visitor()));
  };
  await frame(0);
  const target = "getByRole('textbox')";
  const note = 'New tasks go to the end.';
  await agent.record(sessionId, { action: 'fill', target, value: 'Buy tea', note });
  await frame(1);
  await agent.record(sessionId, { action: 'press', target, key: 'Enter' });
  await frame(2);
  await page.getByRole('banner').scrollIntoViewIfNeeded();
  if (isTaken) await page.screenshot({ path: 'docs/ui.png' });
  const task = "getByRole('listitem').filter({ hasText: 'Buy tea' }).getByRole('checkbox')";
  await agent.record(sessionId, { action: 'check', target: task, note: 'Tea is bought.' });
  await frame(3);
  await agent.record(sessionId, { action: 'click', target: "getByRole('link', { name: 'Active' })" });
  await frame(4);
  await expect(page.getByRole('main')).toMatchAriaSnapshot({ name: 'session.aria.yml' });
  await page.getByRole('button', { name: 'Show the test' }).click();
  await page.getByRole('region', { name: 'The test ', exact: false }).scrollIntoViewIfNeeded();
  await frame(4);
  if (isTaken) await writeFile('docs/session.gif', movingPicture(frames));
});

/** The pixels of a page, which has had the time to show what just happened; another page decodes them. */
async function pixelsOf(page: Page, blank: Page): Promise<Uint8ClampedArray> {
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
