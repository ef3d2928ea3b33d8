import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, type Result, type Shared } from '../fixtures.js';
import { serve, type Site } from '../fixtures/serve.js';

/** Milliseconds for a call on another session: without limits, these pages delay it by half a minute. */
const patienceMs = 10_000;

const noise = `setInterval(() => { for (let i = 0; i < 2000; i++) console.log('noise', i); }, 10)`;
const worker = `new Worker(window.URL.createObjectURL(new Blob([${JSON.stringify(noise)}])))`;

/** What a page does without end. */
const floods = {
  console: noise,
  worker,
  errors: `setInterval(() => { for (let i = 0; i < 500; i++) setTimeout(() => { throw new Error('noise'); }); }, 10)`,
  addresses: `setInterval(() => { for (let i = 0; i < 500; i++) history.replaceState(0, '', '#' + i); }, 10)`,
  frames: `setInterval(() => { for (let i = 0; i < 50; i++) document.body.appendChild(document.createElement('iframe')).remove(); }, 10)`,
  requests: `setInterval(() => { for (let i = 0; i < 500; i++) fetch('data:,' + i); }, 10)`,
};

async function site(): Promise<Site> {
  const buttons = Object.entries(floods).map(
    ([name, script]) => `<button onclick='${script.replaceAll("'", '&#39;')}'>${name}</button>`,
  );
  return serve(async (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<title>Floods</title>${buttons.join('')}<button onclick="this.after('more ')">Go</button>`);
    return Promise.resolve();
  }, 0);
}

/** The longest time that a click in a session takes while work is done. */
async function longestClick(shared: Shared, sessionId: string, work: Promise<unknown>): Promise<number> {
  let longest = 0;
  const isDone = work.then(() => true);
  const click = async (): Promise<false> => {
    const begun = performance.now();
    await shared.record(sessionId, { action: 'click', target: "getByText('Go')" });
    longest = Math.max(longest, performance.now() - begun);
    // As fast as a person, not as fast as the machine.
    await sleep(200);
    return false;
  };
  do await click();
  while (!(await Promise.race([isDone, click()])));
  await click();
  return longest;
}

for (const name of Object.keys(floods))
  test(`${name} without end in one session do not delay another`, async ({ shared }) => {
    test.slow();
    const pages = await site();
    const { url } = pages;
    const calm = await shared.start({ url });
    const { sessionId } = await shared.start({ url });
    const flooding = shared.record(sessionId, { action: 'click', target: `getByText('${name}')` });
    expect(await longestClick(shared, calm.sessionId, flooding)).toBeLessThan(patienceMs);
    const cleared = await shared.call('clear_codegen_session', { sessionId });
    expect(cleared.error).toBeUndefined();
    await pages.close();
  });

test('a page that writes to the console without end stays usable; one that causes other events is closed', async ({
  shared,
}) => {
  const pages = await site();
  const { url } = pages;
  const { sessionId } = await shared.start({ url });
  const click = (text: string): Promise<Result> =>
    shared.record(sessionId, { action: 'click', target: `getByText('${text}')` });
  expect((await click('console')).failed).toBeUndefined();
  expect((await click('Go')).snapshot).toContain('more');
  const events = [...(await click('addresses')).events];
  await expect
    .poll(async () => {
      events.push(...(await shared.call('get_codegen_session', { sessionId, include: ['snapshot'] })).events);
      return events;
    })
    .toContainEqual({ type: 'limit', text: 'A page was closed: it caused too many events in a second.' });
  await pages.close();
});
