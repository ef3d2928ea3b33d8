import { readFile } from 'node:fs/promises';
import { matchers } from '../../src/actions/expect.js';
import { actions } from '../../src/actions/registry.js';
import { emitGroup } from './emit.js';
import { expectedFile, groupNames, readGroup, readGroups } from './groups.js';
import { expect, test } from '../fixtures.js';

test('the corpus has at least 150 sessions, with every action in both languages and templates', async () => {
  const groups = await readGroups();
  const recorded = [...actions.values()].filter((action) => action.recorded).map(({ name }) => name);
  for (const part of ['typescript', 'javascript', 'plain', 'pom']) {
    const emitted = groups.filter(({ emissions }) => emissions.some((each) => each.includes(part)));
    const used = new Set(
      emitted.flatMap(({ sessions }) => sessions.flatMap(({ steps }) => steps)).map(({ action }) => action),
    );
    expect(recorded.filter((name) => !used.has(name))).toEqual([]);
  }
  const sessions = groups.flatMap((group) => group.sessions);
  expect(new Set(sessions.map(({ name }) => name)).size).toBe(sessions.length);
  expect(sessions.length).toBeGreaterThanOrEqual(150);
  const steps = sessions.flatMap((session) => session.steps);
  const asserted = new Set(steps.map(({ args }) => args['matcher']));
  expect(Object.keys(matchers).filter((name) => !asserted.has(name))).toEqual([]);
  const signals = new Set(steps.flatMap((step) => step.signals ?? []).map(({ type }) => type));
  expect([...signals].sort()).toEqual(['download', 'filechooser', 'page', 'popup']);
});

for (const name of groupNames)
  test(`${name} emits the same bytes as before`, async () => {
    expect(await emitGroup(await readGroup(name))).toBe(await readFile(expectedFile(name), 'utf8'));
  });
