import { expect, test } from '../fixtures.js';
import { serve } from '../fixtures/serve.js';

test('hostile titles and addresses do not delay another session, and answers stay small', async ({
  shared: server,
}) => {
  test.slow();
  const site = await serve(async (_, response, url) => {
    const title = url.pathname === '/digits' ? '7'.repeat(300_000) : 'x'.repeat(5_000_000);
    const isHostile = url.pathname !== '/';
    response.setHeader('content-type', 'text/html');
    response.end(
      `<title>${isHostile ? title : 'Plain'}</title><input type=range aria-valuetext="${isHostile ? '7'.repeat(300_000) : '1'}"><button>Go</button>`,
    );
    return Promise.resolve();
  }, 0);
  const calm = await server.start({ url: site.url });
  for (const path of ['/digits', '/long', `/#${'a'.repeat(100_000)}`]) {
    const hostile = server.start({ url: `${site.url}${path}` });
    const begun = performance.now();
    await server.call('get_codegen_session', { sessionId: calm.sessionId });
    expect(performance.now() - begun).toBeLessThan(2000);
    const { text, pageTitle, url, error } = await hostile;
    expect(error).toBeUndefined();
    expect(text.length).toBeLessThan(40_000);
    expect(pageTitle.length).toBeLessThan(600);
    expect(url.length).toBeLessThan(2100);
  }
  await site.close();
});
