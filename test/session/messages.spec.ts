import { connect, expect, refOf, test, type Connection } from '../fixtures.js';

/** The messages that a call sends to the browser; its log arrives before the result of a call that follows. */
async function messagesOf({ call, stderr }: Connection, work: () => Promise<unknown>): Promise<number> {
  await call('get_codegen_session');
  const before = stderr().length;
  await work();
  await call('get_codegen_session');
  return stderr().slice(before).split('SEND ►').length - 1;
}

// Playwright itself sends 15 messages for such a click and 7 for the others.
for (const { autoAssert, most } of [
  { autoAssert: false, most: [22, 13, 3, 16] },
  { autoAssert: true, most: [26, 15, 3, 30] },
])
  test(`actions send few messages to the browser ${autoAssert ? 'with' : 'without'} autoAssert`, async ({
    workspace,
    pages,
  }) => {
    const connection = await connect(workspace, { env: { DEBUG: 'pw:protocol' } });
    const { start, record, close } = connection;
    try {
      const { sessionId } = await start({ url: `${pages.url}/todo.html`, autoAssert });
      const heading = "getByRole('heading', { name: 'Todos' })";
      const field = "getByPlaceholder('What needs to be done?')";
      const counts: number[] = [];
      for (const action of [
        { action: 'click', target: heading },
        { action: 'fill', target: field, value: 'Call Ann' },
        { action: 'expect', target: heading, matcher: 'toBeVisible' },
        { action: 'press', target: field, key: 'Enter' },
      ])
        counts.push(await messagesOf(connection, () => record(sessionId, action)));
      for (const [index, limit] of most.entries())
        expect.soft(counts[index], `of ${String(counts)}`).toBeLessThanOrEqual(limit);
    } finally {
      await close();
    }
  });

// Of these, an element's snapshot and Playwright's suggestion are one each, though their methods take seven and twelve.
test('a search for a locator and the snapshot of a region take few messages', async ({
  workspace,
  pages,
}) => {
  const connection = await connect(workspace, { env: { DEBUG: 'pw:protocol' } });
  const { start, record, close } = connection;
  const click = async (sessionId: string, target: string): Promise<number> =>
    messagesOf(connection, () => record(sessionId, { action: 'click', target }));
  try {
    const plain = await start({ url: `${pages.url}/similar.html`, autoAssert: false });
    const inRow = refOf(plain.snapshot.slice(plain.snapshot.indexOf('Anna')), 'button "Edit"');
    expect(await click(plain.sessionId, inRow)).toBeLessThanOrEqual(29);
    const { sessionId } = await start({ url: `${pages.url}/lists.html` });
    expect(await click(sessionId, "getByRole('button', { name: 'Open order' })")).toBeLessThanOrEqual(24);
  } finally {
    await close();
  }
});
