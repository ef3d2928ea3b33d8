import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { z } from 'zod';
import { codeSteps } from '../../src/actions/registry.js';
import { planStory } from '../../src/codegen/page-objects.js';
import { print } from '../../src/codegen/printer.js';
import { pageNames, passagesOf } from '../../src/codegen/routes.js';
import { parsePage } from '../../src/codegen/page-object.js';
import { findTemplate } from '../../src/codegen/templates.js';
import type { LocatorChain } from '../../src/model/locator.js';
import type { Step } from '../../src/model/step.js';
import type { Session } from '../../src/session/session.js';
import { sessionSource, type SessionSource } from '../../src/session/test-source.js';
import { anyChain } from './chains.js';
import { checkEmitted, type EmittedFile } from './emitted.js';
import { hostileString } from './hostile.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';
import { runs } from '../runs.js';

const origin = 'http://127.0.0.1:3000';
const templates = {
  plain: await findTemplate('plain', undefined),
  pom: await findTemplate('pom', undefined),
};

function sourceOf(
  steps: Step[],
  language: 'typescript' | 'javascript' = 'typescript',
  template: 'plain' | 'pom' = 'pom',
  pages: Map<
    string,
    { page: Awaited<ReturnType<typeof parsePage>>; isUntouched: boolean; text: string }
  > = new Map(),
): Promise<SessionSource> {
  const session: Session = {
    id: '1',
    grant: 'local',
    title: 'buys tea',
    file: 'buys-tea.spec.ts',
    path: 'buys-tea.spec.ts',
    emission: { language, template, includeComments: true, testNamePrefix: '', outputPath: undefined },
    autoAssert: true,
    resumed: false,
    use: { baseURL: origin },
    steps,
    status: 'open',
    lastUrl: '',
  };
  const surroundings = {
    spec: 'a.spec.ts',
    template: templates[template],
    project: {},
    browserName: 'chromium' as const,
    pages,
  };
  return sessionSource(session, surroundings);
}

const name = fc.oneof(
  hostileString,
  fc.constantFrom(
    'Log in',
    'constructor',
    'then',
    'Page',
    '登录',
    'Поиск',
    '2 items',
    'delete',
    'goto',
    'Save',
  ),
);
const role = fc.constantFrom(
  'button',
  'link',
  'textbox',
  'searchbox',
  'combobox',
  'checkbox',
  'row',
  'tab',
  'option',
);
const byRole = fc
  .tuple(role, name)
  .map(([kind, text]): LocatorChain => [{ method: 'getByRole', args: [kind, { name: text }] }]);
const inRow = fc
  .tuple(name, byRole)
  .map(([text, inner]): LocatorChain => [
    { method: 'getByRole', args: ['row'] },
    { method: 'filter', args: [{ hasText: text }] },
    ...inner,
  ]);
const locator = fc.oneof({ weight: 3, arbitrary: byRole }, inRow, anyChain);

const visible = fc.array(
  locator.map((chain) => ({ locator: chain, args: { matcher: 'toBeVisible' } })),
  { maxLength: 1 },
);
const route = fc.oneof(
  fc.constantFrom(
    '/',
    '/login',
    '/orders/12345',
    '/#/cart',
    '/#/',
    '/a/b/edit',
    '/index.html',
    '/3d-models/',
    '/page',
  ),
  hostileString.map((text) => `/${encodeURIComponent(text.replace(/\p{Cs}/gu, ''))}`),
);
const note = fc.option(hostileString, { nil: undefined });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(locator, name, note, fc.boolean()).map(([chain, value, said, isAsserted]): Step => ({
      action: 'fill',
      locator: chain,
      args: { value },
      ...(said === undefined ? {} : { note: said }),
      ...(isAsserted
        ? { assertions: [{ locator: chain, args: { matcher: 'toHaveValue', expected: value } }] }
        : {}),
    })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(locator, visible, fc.option(route, { nil: undefined }))
      .map(([chain, assertions, path]): Step => ({
        action: 'click',
        locator: chain,
        args: {},
        assertions,
        ...(path === undefined ? {} : { leadsTo: origin + path }),
      })),
  },
  locator.map((chain): Step => ({ action: 'check', locator: chain, args: {} })),
  fc
    .tuple(locator, fc.constantFrom('Enter', 'Tab', '/'))
    .map(([chain, key]): Step => ({ action: 'press', locator: chain, args: { key } })),
  fc
    .tuple(locator, fc.oneof(name, fc.array(name, { minLength: 1, maxLength: 2 })))
    .map(([chain, values]): Step => ({ action: 'selectOption', locator: chain, args: { values } })),
  route.map((path): Step => ({ action: 'goto', args: { url: path }, leadsTo: origin + path })),
  locator.map((chain): Step => ({ action: 'expect', locator: chain, args: { matcher: 'toBeVisible' } })),
  fc.constant<Step>({ action: 'expect', args: { matcher: 'toHaveURL', expected: '/' } }),
  hostileString.map((title): Step => ({ action: 'step', args: { title: title || 'x' } })),
);
const flow = fc
  .tuple(route, fc.array(step, { minLength: 1, maxLength: 10 }))
  .map(([path, steps]): Step[] => [
    { action: 'goto', args: { url: path }, leadsTo: origin + path },
    ...steps,
  ]);

/** What is wrong with the names of a story; Playwright's `expect` would take too long for so many. */
function problemsOf(steps: Step[]): string[] {
  const { emitted, pages, made } = planStory(codeSteps(steps), origin, { existing: new Map() });
  const spec = emitted.map(({ before, action, assertions }) =>
    print([...before, ...action, ...assertions.flat()]),
  );
  const repeated = (names: string[]): string[] => names.filter((each, index) => names.indexOf(each) < index);
  const own = [...pages.map(({ className }) => className), ...made.map(({ variable }) => variable)];
  const problems = pages.flatMap(({ className, file, fields, methods }) => {
    const members = [...fields, ...methods].map((member) => member.name);
    const used = [...spec, ...methods.flatMap(({ statements }) => statements)].join('\n');
    return [
      ...[className].filter((each) => !/^[A-Z][A-Za-z0-9]*Page\d*$/.test(each)),
      ...[file].filter((each) => !/^[a-z0-9-]+-page$/.test(each)),
      ...members.filter(
        (each) => !/^[a-z][A-Za-z0-9]*$/.test(each) || ['constructor', 'then', 'page'].includes(each),
      ),
      ...members.filter((each) => !new RegExp(`\\.${each}\\b`).test(used)),
      ...repeated(members),
    ];
  });
  return [...problems, ...repeated(own)];
}

test('whatever names and addresses say, members have valid names of their own, and each is used', () => {
  test.slow();
  fc.assert(
    fc.property(flow, (steps) => problemsOf(steps).length === 0),
    { numRuns: runs(1000) },
  );
});

test('methods are named after what the flow does, and none has a number', async () => {
  const on = (kind: string, text: string): LocatorChain => [
    { method: 'getByRole', args: [kind, { name: text }] },
  ];
  const click = (locator: LocatorChain): Step => ({ action: 'click', locator, args: {} });
  const inRowOf = (text: string): LocatorChain => [
    { method: 'getByRole', args: ['row'] },
    { method: 'filter', args: [{ hasText: text }] },
    { method: 'getByRole', args: ['combobox'] },
  ];
  const menu = on('button', 'POST /orders Orders an order of a pet');
  const expanded = {
    locator: menu,
    args: { matcher: 'toHaveAttribute', name: 'aria-expanded', expected: 'true' },
  };
  const { content, pages } = await sourceOf([
    { action: 'goto', args: { url: '/' } },
    click(on('button', 'Sign up')),
    { action: 'fill', locator: on('textbox', 'Name'), args: { value: 'Ann' } },
    { action: 'selectOption', locator: inRowOf('Status'), args: { values: 'new' } },
    { action: 'check', locator: on('checkbox', 'Terms'), args: {} },
    click(on('button', 'Sign up')),
    { action: 'fill', locator: on('textbox', 'Name'), args: { value: 'Bob' } },
    click(on('button', 'Sign up')),
    { ...click(menu), assertions: [expanded] },
    click(on('button', 'Check')),
  ]);
  const calls = content('a.spec.ts').match(/homePage\.\w+(?:\.\w+)?\([^)]*\)(?=;)/g);
  expect(calls).toEqual([
    'homePage.goto()',
    'homePage.signUpButton.click()',
    'homePage.signUp("Ann", "new")',
    'homePage.signUpWithName("Bob")',
    'homePage.togglePostOrdersOrderOfPet()',
    'homePage.checkButton.click()',
  ]);
  expect(pages[0]?.content('')).toContain('async signUp(name: string, status: string): Promise<void> {');
});

/** A page and an \`expect\` that note what is done, in the words of the locators that lead there. */
const recorder = `
const log = [];
const show = (value) =>
  typeof value === "function" ? value.path : value instanceof RegExp ? String(value)
  : Array.isArray(value) ? "[" + value.map(show) + "]"
  : typeof value === "object" && value !== null
    ? "{" + Object.entries(value).map(([key, each]) => JSON.stringify(key) + ":" + show(each)) + "}"
  : JSON.stringify(value) ?? "undefined";
const actions = new Set(["goto", "fill", "click", "check", "press", "selectOption", "toBeVisible", "toHaveURL", "toHaveValue"]);
const make = (path) => new Proxy(function () {}, {
  get: (_, key) => key === "path" ? path : key === "then" ? undefined : (...args) => {
    const next = path + "." + String(key) + "(" + args.map(show) + ")";
    if (!actions.has(key)) return make(next);
    log.push(next);
  },
});
const expect = (subject) => make("expect(" + subject.path + ")");
let done;
const test = Object.assign((_, body) => { done = body({ page: make("page") }); }, { use() {}, step: (_, body) => body() });
`;

async function heardBy({ content, pages }: SessionSource): Promise<string[]> {
  const files = [...pages.map((page) => page.content(page.file)), content('a.spec.js')];
  const code = files.map((text) => text.replace(/^import .*$/gm, '').replace(/^export /gm, '')).join('\n');
  const context = createContext({});
  await runInContext(`${recorder}\n${code}\ndone`, context);
  return z
    .array(z.string())
    .parse(JSON.parse(z.string().parse(runInContext('JSON.stringify(log)', context))));
}

test('page objects change how a test reads, not what it does', async () => {
  test.slow();
  await fc.assert(
    fc.asyncProperty(flow, async (steps) => {
      const [plain, pom] = await Promise.all(
        (['plain', 'pom'] as const).map(async (template) =>
          heardBy(await sourceOf(steps, 'javascript', template)),
        ),
      );
      // What a fill sees to by itself is left out where a method does it.
      const isSaid = (line: string): boolean => !line.includes(').toHaveValue(');
      expect(pom?.filter(isSaid)).toEqual(plain?.filter(isSaid));
    }),
    { numRuns: runs(40) },
  );
});

test('page objects in both languages pass every check, are read back, and are the same every time', async () => {
  test.slow();
  const emitted = (['typescript', 'javascript'] as const).map(async (language) => {
    const files: EmittedFile[] = [];
    for (const [index, steps] of fc.sample(flow, 12).entries()) {
      const source = await sourceOf(steps, language);
      const pages = new Map(
        await Promise.all(
          source.pages.map(async ({ file, content }) => {
            const text = content(file);
            const page = await parsePage(text.replace(/^.*\n/, ''));
            expect(page?.className).toBeDefined();
            return [file.replace(/^pages\/|\.[jt]s$/g, ''), { page, isUntouched: true, text }] as const;
          }),
        ),
      );
      const again = await sourceOf(steps, language, 'pom', pages);
      const told = (of: SessionSource): string[][] => [
        ['spec', of.content('a')],
        ...of.pages.map(({ file, content }) => [file, content(file)]),
      ];
      expect(told(again)).toEqual(told(source));
      const extension = language === 'typescript' ? 'ts' : 'js';
      files.push(
        ...told(source).map(([file = '', content = '']) => ({
          name: `${language}-${index}/${file === 'spec' ? `a.spec.${extension}` : file}`,
          content,
        })),
      );
    }
    return files;
  });
  // Together, since TypeScript takes its time for any number of files.
  await checkEmitted((await Promise.all(emitted)).flat(), { asserted: false });
});

const pageNamed = new Rows();
for (const [path, names] of [
  ['/', ['home']],
  ['/index.html', ['home']],
  ['/Log-In.php', ['log in']],
  ['/shop/cart/', ['cart', 'shop cart']],
  ['/products/12345', ['product']],
  ['/orders/12/edit', ['order edit']],
  ['/admin/users', ['users', 'admin users']],
  ['/#/settings/profile', ['profile', 'settings profile']],
  ['/%D0%BA%D0%BE%D1%80%D0%B7%D0%B8%D0%BD%D0%B0', ['korzina']],
  ['/%E8%B4%AD%E7%89%A9', ['inner']],
  ['/3d-models', ['the 3d models']],
] as const) {
  pageNamed.add(`the page at ${path} is called ${names.join(' or ')}`, () => {
    const [passage] = passagesOf(codeSteps([{ action: 'goto', args: { url: path } }]), origin);
    expect(passage?.after && pageNames(passage.after).map((words) => words.join(' '))).toEqual(names);
  });
}
test('pages are called after their addresses', () => pageNamed.check());
