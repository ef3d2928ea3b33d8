import { setTimeout as sleep } from 'node:timers/promises';
import { expect, refOf, test } from '../fixtures.js';
import { giveUpSoon } from '../fixtures/give-up-soon.js';
import { blockPage, serve, type Site } from '../fixtures/serve.js';

/** Replaces Map and Set by ones that can't be iterated, as old polyfills did (microsoft/playwright#34628, #34443). */
const setMap = `(function(){function S(){this.a=[]}S.prototype={add:function(v){if(this.a.indexOf(v)<0)this.a.push(v);return this},has:function(v){return this.a.indexOf(v)>=0},delete:function(v){var i=this.a.indexOf(v);if(i>=0)this.a.splice(i,1)},forEach:function(f){this.a.forEach(f)}};window.Set=S;function M(){this.k=[];this.v=[]}M.prototype={get:function(k){return this.v[this.k.indexOf(k)]},set:function(k,v){var i=this.k.indexOf(k);if(i<0){this.k.push(k);this.v.push(v)}else this.v[i]=v;return this},has:function(k){return this.k.indexOf(k)>=0}};window.Map=M})()`;

/** The pages, in which the button works or does not. */
const pages: Record<string, (work: string) => string> = {
  '/set-map': (work) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>05i-set-map</title><body>
    <script>${setMap}</script><h1>Shop</h1><button id="b">Add</button><p>Cart: <span id="n">0</span> items</p><label>Name <input id="i"></label><p id="h" role="status"></p>
    <script>b.onclick=()=>{${work} n.textContent=+n.textContent+1};i.onchange=()=>{h.textContent='Hello '+i.value}</script></body></html>`,
  '/endless-script': (
    work,
  ) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>05q-endless-script</title><body>
    <h1>Loop</h1><button id="b">Start</button><div class="box"><span class="x">✕</span></div><p id="o" role="status"></p>
    <script>b.onclick=()=>{${work} o.textContent='started';setTimeout(()=>{${blockPage}},700)}</script></body></html>`,
  '/endless-at-once': () =>
    `<title>Endless</title><button onclick="setTimeout(() => { ${blockPage} }, 100)">Start</button>`,
};

const broken = { works: true };

async function site(): Promise<Site> {
  return serve(async (_, response, { pathname }) => {
    if (pathname === '/hang') return;
    response.setHeader('content-type', 'text/html');
    response.end(pages[pathname]?.(broken.works ? '' : 'return;') ?? '');
    await Promise.resolve();
  }, 0);
}

test('05i-set-map: effects are seen on a page that replaces Map and Set', async ({ shared }) => {
  test.slow();
  await shared.configure({ autoAssert: true, verify: { sensitivity: 'off' } });
  const own = await site();
  const { sessionId, snapshot } = await shared.start({ url: `${own.url}/set-map`, file: 'set-map.spec.ts' });
  const name = refOf(snapshot, 'textbox');
  const recorded = await shared.record(
    sessionId,
    { action: 'click', target: refOf(snapshot, 'button "Add"') },
    { action: 'fill', target: name, value: 'Ann' },
    { action: 'press', target: name, key: 'Enter' },
  );
  expect(recorded.recorded).toBe(3);
  const ended = await shared.call('end_codegen_session', { sessionId });
  expect(ended.error).toBeUndefined();
  expect(ended.testCode).toMatch(/1 items|toHaveText\("1"\)/);
  expect(ended.testCode).toContain('Hello Ann');
  broken.works = false;
  await giveUpSoon(shared.workspace);
  const file = 'generated-tests/set-map.spec.ts';
  const run = await shared.client.callTool({ name: 'run_generated_test', arguments: { file } });
  broken.works = true;
  expect(run.structuredContent).toMatchObject({ status: 'failed' });
  await own.close();
});

test('05q-endless-script: every call answers while a script of the page never ends', async ({ shared }) => {
  test.slow();
  await shared.configure({ autoAssert: true, verify: { sensitivity: 'off' } });
  const own = await site();
  const start = async (): Promise<string> => {
    const { sessionId, snapshot } = await shared.start({ url: `${own.url}/endless-script` });
    const click = { action: 'click', target: refOf(snapshot, 'button "Start"') };
    expect((await shared.record(sessionId, click)).recorded).toBe(1);
    await sleep(1500);
    return sessionId;
  };
  /** The answer to a call, and how long it took. */
  const timed = async (tool: string, args: object): Promise<{ message: string; ms: number }> => {
    const begun = performance.now();
    const { error, failed } = await shared.call(tool, { ...args });
    return { message: (failed ?? error)?.message ?? '', ms: performance.now() - begun };
  };
  const sessionId = await start();
  const recorded = await timed('record_codegen_session', {
    sessionId,
    actions: [{ action: 'click', target: '.x' }],
  });
  expect(recorded.message).toContain('does not respond');
  const got = await timed('get_codegen_session', {
    sessionId,
    include: ['steps', 'code', 'snapshot', 'screenshot', 'console', 'network'],
  });
  expect(got.message).toMatch(/^$|does not respond/);
  const ended = await timed('end_codegen_session', { sessionId, verify: 'off' });
  expect(ended.message).toBe('');
  const cleared = await timed('clear_codegen_session', { sessionId: await start() });
  expect(cleared.message).toBe('');
  for (const { ms } of [recorded, got, ended, cleared]) expect(ms).toBeLessThan(15_000);
  await own.close();
});

test('a warning names the steps whose effects could not be observed', async ({ shared }) => {
  await shared.configure({ autoAssert: true });
  const own = await site();
  const { sessionId } = await shared.start({ url: `${own.url}/endless-at-once` });
  expect((await shared.record(sessionId, { action: 'click', target: 'button' })).recorded).toBe(1);
  const ended = await shared.call('end_codegen_session', { sessionId, verify: 'off', dryRun: true });
  expect(ended['warnings']).toContainEqual(expect.stringContaining('did not respond after step 1'));
  await shared.call('clear_codegen_session', { sessionId });
  await own.close();
});
