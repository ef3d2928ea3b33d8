import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { z } from 'zod';
import { actions } from '../../src/actions/registry.js';
import { urlPatternSchema } from '../../src/actions/url.js';
import { titleFor } from '../../src/codegen/naming.js';
import { findTemplate } from '../../src/codegen/templates.js';
import type { Json } from '../../src/model/json.js';
import type { LocatorChain } from '../../src/model/locator.js';
import type { Step } from '../../src/model/step.js';
import { sessionSource } from '../../src/session/test-source.js';
import { checkEmitted } from '../codegen/emitted.js';
import { hostilePattern, hostileString } from '../codegen/hostile.js';
import { test } from '../fixtures.js';
import { runs } from '../runs.js';

const plain = await findTemplate('plain', undefined);

type Fields = Record<string, Json>;

const filled = hostileString.filter((text) => text !== '');
const address = hostileString.map((text) => `http://shop.example/${text}`);
const named: fc.Arbitrary<LocatorChain> = fc
  .tuple(fc.constantFrom('button', 'textbox', 'row'), hostileString)
  .map(([role, name]) => [{ method: 'getByRole', args: [role, { name }] }]);
const header = fc
  .tuple(fc.stringMatching(/^[a-z][a-z-]{0,9}$/), hostileString)
  .map((pair) => Object.fromEntries([pair]));
const json = fc.tuple(filled, hostileString).map(([key, value]) => ({ [key]: [value, { deep: null }] }));

/** An action's step, on an element where it has one. */
function act(
  action: string,
  fields: fc.Arbitrary<Fields>,
  on?: fc.Arbitrary<LocatorChain>,
): fc.Arbitrary<Step> {
  const note = fc.option(hostileString, { nil: undefined });
  return fc.tuple(fields, on ?? fc.constant(undefined), note).map(([given, locator, said]) => ({
    action,
    args: actions.get(action)?.prepare(given, undefined).args ?? {},
    ...(locator === undefined ? {} : { locator }),
    ...(said === undefined ? {} : { note: said }),
  }));
}

const asserted = fc.oneof(
  hostileString.map((expected) => ({ matcher: 'toHaveText', expected })),
  hostilePattern
    .filter(({ regex }) => regex !== '')
    .map((expected) => ({ matcher: 'toContainText', expected })),
  fc.tuple(filled, hostileString).map(([name, expected]) => ({ matcher: 'toHaveAttribute', name, expected })),
);
const step = fc.oneof(
  act(
    'goto',
    address.map((url) => ({ url })),
  ),
  act('click', fc.constant({}), named),
  act(
    'fill',
    hostileString.map((value) => ({ value })),
    named,
  ),
  act(
    'pressSequentially',
    hostileString.map((value) => ({ value })),
    named,
  ),
  act(
    'selectOption',
    fc.array(hostileString, { minLength: 1, maxLength: 2 }).map((values) => ({ values })),
    named,
  ),
  act('expect', asserted, named),
  act(
    'expect',
    address.map((expected) => ({ matcher: 'toHaveURL', expected })),
  ),
  act(
    'step',
    filled.map((title) => ({ title })),
  ),
  act(
    'onDialog',
    fc.tuple(hostileString, hostileString).map(([promptText, message]) => ({ promptText, message })),
  ),
  act(
    'route',
    fc
      .tuple(address, json)
      .map(([url, answer]) => ({ url: url.replaceAll('*', ''), json: answer }))
      .filter(({ url }) => urlPatternSchema.safeParse(url).success),
  ),
  act(
    'request',
    fc.tuple(address, header, json).map(([url, headers, data]) => ({ method: 'POST', url, headers, data })),
  ),
  act(
    'evaluate',
    filled.map((expression) => ({ expression })),
  ),
  act(
    'setStorage',
    // zod drops `__proto__`, which leaves nothing to set.
    fc
      .tuple(
        filled.filter((key) => key !== '__proto__'),
        hostileString,
      )
      .map((item) => ({ local: Object.fromEntries([item]) })),
  ),
  act(
    'clipboard.writeText',
    hostileString.map((text) => ({ text })),
  ),
);
const session = fc.record({
  title: hostileString,
  userAgent: filled,
  steps: fc.array(step, { minLength: 1, maxLength: 2 }),
});
type Given = typeof session extends fc.Arbitrary<infer Value> ? Value : never;

async function sourceOf({ title, userAgent, steps }: Given, number: number): Promise<string> {
  const { content } = await sessionSource(
    {
      id: 's',
      title,
      file: 'a.spec.ts',
      emission: {
        language: number % 2 === 0 ? 'typescript' : 'javascript',
        template: 'plain',
        includeComments: true,
        testNamePrefix: `${number} `,
        outputPath: undefined,
      },
      autoAssert: true,
      resumed: false,
      use: { userAgent },
      steps,
      status: 'open',
      grant: 'local',
      path: 'generated-tests/a.spec.ts',
      lastUrl: '',
    },
    { spec: 'a.spec.ts', template: plain, project: {}, browserName: 'chromium', pages: new Map() },
  );
  return content('a.spec.ts').replace(/^\/\/ .*\n/, '');
}

/** Takes the place of the browser, and notes every text that it is given. */
const stage = createContext({});
runInContext(
  `
let heard, done;
const hear = (value) => {
  if (value === actor) return;
  if (typeof value === "string") heard.push(value);
  else if (typeof value === "function") value(actor);
  else if (typeof value === "object" && value !== null) Object.entries(value).forEach((entry) => entry.forEach(hear));
};
const actor = new Proxy(function () {}, {
  get: (_, key) => (key === "then" ? undefined : actor),
  apply: (_, self, args) => (args.forEach(hear), args[0] === "dialog" ? Promise.resolve(actor) : actor),
});
const navigator = actor;
const expect = actor;
const test = Object.assign(
  (title, body) => { hear(title); done = body({ page: actor, context: actor, request: actor }); },
  { use: hear, step: (title, body) => { hear(title); return body(); } },
);`,
  stage,
);

async function heardFrom(source: string): Promise<Set<string>> {
  const code = source.replace(/^import .*$/gm, '');
  await runInContext(`heard = [];\n{${code}}\ndone`, stage);
  const heard = z.string().parse(runInContext('JSON.stringify(heard)', stage));
  return new Set(z.array(z.string()).parse(JSON.parse(heard)));
}

/** All texts of a value, with the names of its fields; regular expressions have a test of their own. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== 'object' || value === null || 'regex' in value) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...textsIn(each)]);
}

/** The texts that a test has to say. */
function saidBy({ title, userAgent, steps }: Given, number: number): string[] {
  const texts = steps.flatMap(({ action, args: { matcher, method, ...args }, locator = [] }, index) => {
    // Nothing is said of what no action follows.
    if (action === 'onDialog' && !steps.slice(index).some(acts)) return [];
    if (action === 'step') return [];
    return [...Object.values(args).flatMap(textsIn), ...locator.flatMap((call) => textsIn(call.args))];
  });
  return [titleFor('test', `${number} ${title}`), userAgent, ...texts];
}

function acts({ action }: Step): boolean {
  return actions.get(action)?.kind === 'mutates';
}

test('any text in a session arrives in its test unchanged, and the test passes every check', async () => {
  test.slow();
  const sources: string[] = [];
  await fc.assert(
    fc.asyncProperty(session, async (given) => {
      const number = sources.length;
      const source = await sourceOf(given, number);
      sources.push(source);
      const heard = await heardFrom(source);
      // Playwright's `expect` would take too long for so many.
      const isSame = number % 10 !== 0 || (await sourceOf(given, number)) === source;
      return isSame && saidBy(given, number).every((text) => heard.has(text));
    }),
    { numRuns: runs(1000) },
  );
  // One file is checked faster than hundreds.
  const files = ['ts', 'js'].map((extension, remainder) => {
    const tests = sources.filter((_, number) => number % 2 === remainder);
    const content = tests.map((source) => source.replace(/^import .*\n/, '')).join('');
    return {
      name: `all.spec.${extension}`,
      content: `import { test, expect } from "@playwright/test";\n${content}`,
    };
  });
  await checkEmitted(files, { asserted: false });
});
