import path from 'node:path';
import type { Page } from '@playwright/test';
import { z } from 'zod';
import { validMs } from '../../src/guard/approvals.js';
import { FileStore } from '../../src/state/file-store.js';
import { configure, expect } from '../fixtures.js';
import { test, violations } from './people.js';

const approvalsSchema = z.object({
  approvals: z.array(z.looseObject({ asked: z.looseObject({ monotonic: z.number() }) })),
});

test('three people watch while an agent acts, and one of them leaves in the middle', async ({
  people: { agent, person },
  pages,
}) => {
  const { sessionId } = await agent.start({ title: 'Shops', url: `${pages.url}/todo.html` });
  const viewers: Page[] = [];
  for (let number = 0; number < 3; number++) {
    const page = await person();
    await page.getByRole('link', { name: 'Shops' }).click();
    await expect(page.getByRole('img', { name: 'The live page of' })).toBeVisible();
    viewers.push(page);
  }
  const pictures = () =>
    Promise.all(viewers.map((page) => page.getByRole('img').getAttribute('src', { timeout: 5000 })));
  const target = "getByRole('textbox')";
  const act = async (value: string) => {
    const { failed } = await agent.record(sessionId, { action: 'fill', target, value });
    expect(failed).toBeUndefined();
    for (const page of viewers) await expect(page.getByText(`.fill("${value}")`)).toBeVisible();
  };
  const before = await pictures();
  await act('Milk');
  await expect.poll(async () => (await pictures()).some((each, index) => each === before[index])).toBe(false);
  const acting = act('Bread');
  const [leaving] = viewers.splice(0, 1);
  await leaving?.context().close();
  await acting;
  await act('Tea');
  // After everybody has left, whoever comes sees the page as it is now.
  for (const page of viewers.splice(0)) await page.context().close();
  await act('Salt');
  const late = await person();
  await late.getByRole('link', { name: 'Shops' }).click();
  await expect(late.getByText('.fill("Salt")')).toBeVisible();
  await expect(late.getByRole('img', { name: 'The live page of' })).toBeVisible();
});

test('a list of 200 sessions is shown and used by the keyboard', async ({ people: { person } }) => {
  const page = await person();
  const sessions = Array.from({ length: 200 }, (_, index) => ({
    id: `session-${index}`,
    title: `Flow ${index}`,
    grant: 'local',
    status: index % 2 === 0 ? 'open' : 'ended',
    url: 'http://127.0.0.1/',
    steps: index,
    lastAction: 'await page.reload();',
  }));
  await page.route('**/ui/api/sessions', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body: `event: state\ndata: ${JSON.stringify(sessions)}\n\n`,
    }),
  );
  await page.reload();
  await expect(page.getByRole('listitem')).toHaveCount(200);
  await page.getByRole('link', { name: 'Flow 199' }).focus();
  await expect(page.getByRole('link', { name: 'Flow 199' })).toBeInViewport();
  expect(await violations(page)).toEqual([]);
});

test('a request that expires leaves the page, and can no longer be approved', async ({
  people: { agent, person },
  workspace,
}) => {
  await configure(workspace, {
    policy: {
      version: '1',
      default: 'allow',
      tools: { get_codegen_session: { action: 'require_approval' } },
    },
  });
  expect((await agent.call('get_codegen_session')).error?.code).toBe('APPROVAL_REQUIRED');
  const page = await person();
  await page.getByRole('link', { name: 'Approvals' }).click();
  const approve = page.getByRole('button', { name: 'Approve once' });
  await expect(approve).toBeVisible();
  await expect(page.getByText('expires')).toBeVisible();
  const store = new FileStore(path.join(workspace, '.codegen/approvals'), approvalsSchema, { approvals: [] });
  await store.update(({ approvals }) => {
    const earlier = approvals.map(({ asked, ...each }) => ({
      ...each,
      asked: { ...asked, monotonic: asked.monotonic - validMs },
    }));
    return { state: { approvals: earlier }, result: undefined };
  });
  await expect(page.getByText('Nothing waits for approval.')).toBeVisible();
  expect((await agent.call('get_codegen_session')).error?.code).toBe('APPROVAL_REQUIRED');
  await expect(approve).toBeVisible();
});
