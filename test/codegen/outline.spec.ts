import { readGroups } from '../golden/groups.js';
import { actions, codeSteps } from '../../src/actions/registry.js';
import { emitSteps, statementsOf } from '../../src/codegen/emitter.js';
import type { Expression, Statement } from '../../src/model/code.js';
import { expect, test } from '../fixtures.js';

/** A second printer: what a test does, in the words of no language. */
const all = (code: readonly Expression[]): string => code.map(said).join(', ');
function said(code: Expression): string {
  if (code.kind === 'locator')
    return code.chain
      .map(({ method, args }) => [method, ...args.map((each) => JSON.stringify(each))].join(' '))
      .join(' > ');
  if (code.kind === 'call')
    return `${code.method} on ${said(code.of)}${code.args.length === 0 ? '' : ` with ${all(code.args)}`}`;
  if (code.kind === 'property') return `${code.name} of ${said(code.of)}`;
  if (code.kind === 'await') return `the result of ${said(code.value)}`;
  if (code.kind === 'list') return `[${all(code.items)}]`;
  if (code.kind === 'record')
    return Object.entries(code.entries)
      .map(([name, each]) => `${name}: ${said(each)}`)
      .join(', ');
  if (code.kind === 'new') return `a new ${code.className} with ${all(code.args)}`;
  if (code.kind === 'function') return `what gives ${said(code.body)}`;
  if (code.kind === 'handler') return `what does (${code.body.map(outline).join('; ')})`;
  if (code.kind === 'operation') return `${said(code.left)} ${code.operator} ${said(code.right)}`;
  if (code.kind === 'choice') return `${said(code.then)} if ${said(code.test)}, else ${said(code.otherwise)}`;
  if (code.kind === 'value') return JSON.stringify(code.value);
  if (code.kind === 'pattern') return `/${code.pattern.regex}/`;
  if (code.kind === 'block') return JSON.stringify(code.text);
  return 'path' in code ? `${code.kind} ${code.path}` : code.name;
}
function outline(code: Statement): string {
  if (code.kind === 'slow') return 'have more time';
  if (code.kind === 'run') return said(code.value);
  if (code.kind === 'bind') return `${code.name} is ${said(code.value)}`;
  if (code.kind === 'start') return `begin to wait for ${said(code.event.source)}`;
  if (code.kind === 'finish') return `wait for ${code.event.promise}`;
  return `expect ${said(code.subject)} ${code.not === true ? 'not ' : ''}${code.matcher} ${all(code.args)}`.trimEnd();
}

test('a second printer prints every recorded action', async () => {
  const outlines = new Map<string, string[]>();
  for (const { sessions } of await readGroups())
    for (const { steps } of sessions)
      for (const [index, emitted] of emitSteps(codeSteps(steps)).entries()) {
        const lines = [...statementsOf(emitted), ...emitted.assertions.flat()].map(outline);
        const { action = '' } = steps[index] ?? {};
        if (lines.length > 0) outlines.set(action, [...(outlines.get(action) ?? []), ...lines]);
      }
  const printed = [...actions.values()].filter(({ recorded, opensGroup }) => recorded && !opensGroup);
  expect(printed.filter(({ name }) => !outlines.has(name)).map(({ name }) => name)).toEqual([]);
  for (const [name, line] of [
    [
      'onDialog',
      'begin to wait for then on waitForEvent on page with "dialog" with what gives accept on dialog',
    ],
    ['clock.pauseAt', 'pauseAt on clock of page with "2030-02-01"'],
    ['closePage', 'close on popup'],
  ] as const)
    expect(outlines.get(name)).toContain(line);
});
