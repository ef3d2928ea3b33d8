import { tryBrowser } from '../../src/browser/try-browser.js';
import { expect, test } from '../fixtures.js';

test('a browser that does not start is distinguished from one that does', async () => {
  expect(await tryBrowser('chromium', { executablePath: process.execPath })).toEqual({
    problem: expect.stringContaining('launch'),
  });
});
