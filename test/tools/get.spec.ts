import { expect, refOf, test } from '../fixtures.js';

test('`find` shows the matching lines of the snapshot, steps, console and network, and no others', async ({
  open,
  shared,
}) => {
  const { started, land } = await open('console.html');
  const { sessionId } = started;
  for (const name of ['Log', 'Warn', 'Error', 'Failing request'])
    await land({ action: 'click', target: refOf(started.snapshot, `button "${name}"`) });
  const get = (args: object) => shared.call('get_codegen_session', { sessionId, ...args });

  const byText = await get({ find: 'WARN' });
  expect(byText.snapshot).toContain('button "Warn"');
  expect(byText.snapshot).not.toContain('button "Reject"');
  const byExpression = await get({ find: { regex: 'button "(Log|Throw)"' } });
  for (const name of ['Log', 'Throw']) expect(byExpression.snapshot).toContain(`button "${name}"`);
  expect(byExpression.snapshot).not.toContain('Missing image');
  expect((await get({ find: { regex: '^button "Log' } })).snapshot).toContain('button "Log"');
  expect((await get({ find: 'nothing of it' })).snapshot).toBe('No line matches.');

  const include = ['steps', 'console', 'network'];
  const all = await get({ include });
  expect(all).toMatchObject({ steps: { length: 5 }, networkLeftOut: 0 });
  expect(JSON.stringify(all['console'])).toContain('A message');
  const failed = await get({ include, find: { regex: 'error|failing|500', flags: 'i' } });
  expect(failed.steps).toMatchObject([{ index: 3 }, { index: 4 }]);
  expect(failed['console']).toMatchObject([{ level: 'error' }, { level: 'error' }]);
  expect(failed['network']).toMatchObject([{ status: 500 }]);
});

test('an invalid expression is refused', async ({ open, shared }) => {
  const { started } = await open('console.html');
  const { error } = await shared.call('get_codegen_session', {
    sessionId: started.sessionId,
    find: { regex: '(' },
  });
  expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('find') });
});

test('`target` limits the snapshot to an element, and shows the attributes that identify it', async ({
  open,
  shared,
}) => {
  const { started } = await open('todo.html');
  const field = "getByPlaceholder('What needs to be done?')";
  const { snapshot, attributes } = await shared.call('get_codegen_session', {
    sessionId: started.sessionId,
    include: ['snapshot'],
    target: field,
  });
  expect(snapshot).toContain('textbox');
  expect(snapshot).not.toContain('heading');
  expect(attributes).toContain('<input');
  expect(attributes).toContain('placeholder="What needs to be done?"');
});

test('a control without a name is shown with what identifies it, and like shapes are counted', async ({
  open,
  shared,
}) => {
  const { started } = await open('nameless.html');
  expect(started.snapshot).toMatch(/- button \[id=zoom-in\] \[ref=e\d+\]$/m);
  expect(started.snapshot).toMatch(/- button \[class=fa-trash\] \[ref=e\d+\]$/m);
  const { attributes } = await shared.call('get_codegen_session', {
    sessionId: started.sessionId,
    target: "getByRole('img', { name: 'Chart' })",
  });
  expect(attributes).toContain(`    <line class="grid-line">
    … 47 more <line>
  <g class="node" id="n1">`);
});
