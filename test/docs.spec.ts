import { expect, test } from '@playwright/test';
import { outdatedPages } from '../docs/generate.js';

test('the references say what the schemas say; `npm run docs` brings them up to date', async () => {
  expect(await outdatedPages(false)).toEqual([]);
});
