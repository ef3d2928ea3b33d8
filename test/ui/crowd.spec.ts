import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { CDPSession, Page } from '@playwright/test';
import { z } from 'zod';
import { createBrowserPool } from '../../src/browser/launch.js';
import { openLive } from '../../src/browser/live.js';
import { validMs } from '../../src/guard/approvals.js';
import { Secrets } from '../../src/model/secrets.js';
import { createBackend } from '../../src/server/backend.js';
import { servePageAt } from '../../src/server/stdio-page.js';
import type { SessionPlan } from '../../src/session/session.js';
import { FileStore } from '../../src/state/file-store.js';
import { configure, expect } from '../fixtures.js';
import { test, violations } from './people.js';

const setup = {
  actionMs: 10_000,
  maxPages: () => 20,
  settleMs: 1000,
  rules: () => ({ allowedOrigins: ['*'], blockedOrigins: [] }),
  secrets: new Secrets(() => [], {}),
};

const choice = {
  name: 'chromium',
  headless: true,
  channel: null,
  executablePath: null,
  endpoints: [],
  grant: 'local',
} as const;

const plan: SessionPlan = {
  ...{ grant: 'local', title: '', file: 'flow', path: 'generated-tests/flow.spec.ts' },
  ...{
    emission: { language: 'typescript', template: 'plain', testNamePrefix: '', includeComments: true },
    autoAssert: false,
    use: {},
    resumed: false,
  },
};

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
    Promise.all(
      viewers.map((page) =>
        page.getByRole('img', { name: 'The live page of' }).getAttribute('src', { timeout: 5000 }),
      ),
    );
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

test('three people use a list of 200 sessions, open and ended, and nothing is filmed that nobody watches', async ({
  workspace,
  browser,
}) => {
  await configure(workspace, {
    browser: { maxSessions: 100 },
    ui: { operators: [{ name: 'Ann', tokenEnv: 'ANN_TOKEN' }] },
  });
  const browsers = createBrowserPool();
  const location = {
    workspace,
    name: undefined,
    browsers,
    mustBeKnown: () => false,
    accept: () => undefined,
  };
  const backend = await createBackend(location);
  const { sessions } = backend;
  const open = () => sessions.list().filter(({ status }) => status === 'open');
  const films: CDPSession[] = [];
  const running = async (): Promise<number> => {
    const answers = await Promise.allSettled(films.map((each) => each.send('Page.enable')));
    return answers.filter(({ status }) => status === 'fulfilled').length;
  };
  // A page each would be too many for a test, so a hundred share one.
  for (const half of [0, 100]) {
    const live = await openLive(await browsers.get(choice, () => undefined), {}, setup);
    const context = live.current.page.context();
    const film = context.newCDPSession.bind(context);
    context.newCDPSession = async (page) => {
      const devTools = await film(page);
      films.push(devTools);
      return devTools;
    };
    for (let index = half; index < half + 100; index++)
      await sessions.start({ ...plan, title: `Flow ${index}` }, () => Promise.resolve({ live, found: {} }));
    if (half === 0) await Promise.all(open().map((session) => sessions.end(session)));
  }
  const server = await servePageAt(0, {
    ...{ backend, workspace, own: backend.connect('local') },
    grants: () => ['local'],
    operatorOf: () => 'Ann',
  });
  const url = `http://127.0.0.1:${z.object({ port: z.number() }).parse(server.address()).port}`;
  const context = await browser.newContext();
  for (const file of ['page.js', 'page.css'])
    await context.route(`**/ui/${file}`, (route) => route.fulfill({ path: `dist/ui/page/${file}` }));
  const viewers = await Promise.all([1, 2, 3].map(() => context.newPage()));
  try {
    for (const [index, page] of viewers.entries()) {
      await page.goto(url);
      if (index === 0) {
        await page.getByLabel('Token').fill('any');
        await page.getByRole('button', { name: 'Log in' }).click();
      }
      await expect(page.getByRole('listitem')).toHaveCount(200);
      await expect(page.getByText('ended', { exact: true })).toHaveCount(100);
      // Only of those in view.
      const thumbnails = page.getByRole('img', { name: 'The page of Flow' });
      await expect(thumbnails.first()).toBeVisible();
      expect(await thumbnails.count()).toBeLessThan(20);
    }
    const [session] = open();
    if (session === undefined) throw new Error('none is open');
    session.title = 'Renamed';
    for (const page of viewers) await expect(page.getByRole('link', { name: 'Renamed' })).toBeAttached();
    for (const page of viewers.slice(0, 1)) {
      await page.getByRole('link', { name: 'Flow 0', exact: true }).focus();
      await expect(page.getByRole('link', { name: 'Flow 0', exact: true })).toBeInViewport();
      expect(await violations(page)).toEqual([]);
    }

    // One login has eight streams. A browser would open six to one host.
    const [cookie] = await context.cookies();
    const key = await viewers[0]?.evaluate(() => localStorage.getItem('codegen-page-key'));
    const left = new AbortController();
    const statuses: number[] = [];
    for (let count = 0; count < 6; count++) {
      const { status } = await fetch(`${url}/ui/api/tests`, {
        headers: {
          Accept: 'text/event-stream',
          Cookie: `${cookie?.name ?? ''}=${cookie?.value ?? ''}`,
          'X-Codegen-Page': key ?? '',
        },
        signal: left.signal,
      });
      statuses.push(status);
    }
    left.abort();
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);

    for (const page of viewers) {
      await page.getByRole('link', { name: 'Renamed' }).click();
      await expect(page.getByRole('img', { name: 'The live page of' })).toBeVisible();
    }
    // One for all who watch.
    await expect.poll(running).toBe(1);
    for (const page of viewers) await page.goto('about:blank');
    await expect.poll(running).toBe(0);
  } finally {
    await context.close();
    server.close();
    await backend.close(0);
  }
});

test('a request that expires leaves the page, and can no longer be approved', async ({
  people: { agent, person, workspace },
}) => {
  await configure(workspace, {
    policy: {
      version: '1',
      default: 'allow',
      tools: { get_codegen_session: { action: 'require_approval' } },
    },
  });
  expect((await agent.call('get_codegen_session')).error?.code).toBe('APPROVAL_REQUIRED');
  // Another, of which a killed server has left nothing to show.
  const directory = path.join(workspace, '.codegen/approvals');
  const before = await readdir(directory);
  const other = await agent.call('get_codegen_session', { include: ['steps'] });
  expect(other.error?.code).toBe('APPROVAL_REQUIRED');
  const subjects = (await readdir(directory)).filter(
    (name) => name.endsWith('.txt') && !before.includes(name),
  );
  for (const name of subjects) await rm(path.join(directory, name));
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
  await expect(page.getByText('No call is pending approval.')).toBeVisible();
  expect((await agent.call('get_codegen_session')).error?.code).toBe('APPROVAL_REQUIRED');
  await expect(approve).toBeVisible();
});
