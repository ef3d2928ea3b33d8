import { mkdir, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { outputJson } from 'fs-extra/esm';
import { workspacePlaywrightTest } from '../../src/verify/playwright-test.js';
import { expect, test } from '../fixtures.js';

test('the copy of a workspace is the nearest one, also after a nearer one was removed', async () => {
  const root = await realpath(test.info().outputPath());
  const workspace = path.join(root, 'packages/shop');
  await mkdir(workspace, { recursive: true });
  const install = async (directory: string, version: string): Promise<string> => {
    const copy = path.join(directory, 'node_modules/@playwright/test');
    await outputJson(path.join(copy, 'package.json'), { version });
    return copy;
  };
  const far = { directory: await install(root, '1.1.0'), version: '1.1.0' };
  const near = { directory: await install(workspace, '1.2.0'), version: '1.2.0' };
  expect(await workspacePlaywrightTest(workspace)).toEqual(near);
  await rm(near.directory, { recursive: true });
  expect(await workspacePlaywrightTest(workspace)).toEqual(far);
});
