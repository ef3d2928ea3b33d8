// What the tests of the benchmark import instead of `@playwright/test`.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test as base, type Page, type TestInfo } from '@playwright/test';

export * from '@playwright/test';

/** Name of the file with the states that the page shows without a mutant, beside the tests. */
export const statesFile = 'states.json';

/** Milliseconds in which a page has to show what it shows without the mutant. */
const patienceMs = 2500;
/** Milliseconds without a change after which a page is still; longer than the animations of the applications. */
const stillMs = 1200;

/** A test's file is `<version>~<mutant>~<run>.spec.ts`, so that one process runs many mutants. */
export function specName(version: string, mutant: string, run: string | number = 1): string {
  return `${version.replace(' ', '-')}~${mutant}~${run}.spec.ts`;
}

/** The reverse of `specName`. */
export function parseSpecName(file: string): { version: string; mutant: string; run: string } {
  const [version = '', mutant = '', run = ''] = path.basename(file, '.spec.ts').split('~');
  return { version: version.replace('-', ' '), mutant, run };
}

export const test = base.extend<{ mutant: string }>({
  mutant: [
    async ({ context }, use, info) => {
      const { mutant, run } = parseSpecName(info.file);
      await context.addInitScript(activate, { mutant, daysAhead: run.endsWith('ahead') ? 2 : 0 });
      await use(mutant);
      // After an unexpected failure Playwright would start another worker and browser.
      if (info.status !== undefined) info.expectedStatus = info.status;
    },
    { auto: true },
  ],
});

/** Runs in the page, before its scripts. */
function activate({ mutant, daysAhead }: { mutant: string; daysAhead: number }): void {
  const key = 'bench-covered';
  const covered = (): string[] => Object.keys(stryker.mutantCoverage?.static ?? {});
  // The limit stops loops that a mutant makes endless.
  const stryker: {
    activeMutant: string;
    hitCount: number;
    hitLimit: number;
    mutantCoverage?: { static: object };
  } = {
    activeMutant: mutant,
    hitCount: 0,
    hitLimit: 200_000,
  };
  Object.assign(globalThis, { __stryker__: stryker });
  if (mutant === 'none')
    addEventListener('pagehide', () => {
      sessionStorage.setItem(key, [sessionStorage.getItem(key) ?? '', ...covered()].join(','));
    });
  if (daysAhead === 0) return;
  const RealDate = Date;
  const ahead = daysAhead * 86_400_000;
  globalThis.Date = new Proxy(RealDate, {
    construct: (_, args) => {
      const made: unknown = args.length === 0 ? undefined : Reflect.construct(RealDate, args);
      return made instanceof RealDate ? made : new RealDate(RealDate.now() + ahead);
    },
    apply: () => new RealDate(RealDate.now() + ahead).toString(),
    get: (target, name): unknown =>
      name === 'now' ? () => RealDate.now() + ahead : Reflect.get(target, name),
  });
}

/**
 * Called after each step of the observing version. Without a mutant, notes what the page shows when it is still, and
 * what was executed; with one, notes the first difference.
 */
export async function note(page: Page): Promise<void> {
  const info = test.info();
  const { mutant } = parseSpecName(info.file);
  if (mutant === 'none') {
    annotate(info, 'state', await stillState(page));
    annotate(info, 'covered', (await coveredIn(page)).join(','));
    return;
  }
  if (info.annotations.some(({ type }) => type === 'difference')) return;
  const step = info.annotations.filter(({ type }) => type === 'same').length;
  const expected = expectedStates(info)[step] ?? '';
  const difference = await differenceFrom(page, expected);
  if (difference === '') annotate(info, 'same', String(step));
  else annotate(info, 'difference', JSON.stringify({ step, difference }));
}

function annotate(info: TestInfo, type: string, description: string): void {
  info.annotations.push({ type, description });
}

function expectedStates(info: TestInfo): string[] {
  const states: unknown = JSON.parse(readFileSync(path.join(path.dirname(info.file), statesFile), 'utf8'));
  return Array.isArray(states) ? states.map(String) : [];
}

/** What a user of the page sees or hears of it. */
async function stateOf(page: Page): Promise<string> {
  const [title, snapshot] = await Promise.all([page.title(), page.locator('body').ariaSnapshot()]);
  const { pathname, search, hash } = new URL(page.url());
  // Times of day differ from run to run.
  const text = snapshot.replace(/\b\d{1,2}:\d{2} ?[ap]m\b/g, '<time>');
  return `${pathname}${search}${hash}\n${title}\n${text}`;
}

async function stillState(page: Page): Promise<string> {
  let state = await stateOf(page);
  for (let since = Date.now(); Date.now() - since < stillMs;) {
    await page.waitForTimeout(100);
    const now = await stateOf(page);
    if (now !== state) since = Date.now();
    state = now;
  }
  return state;
}

/** Lines that the page shows too many or lacks, after it had time to show what is expected; empty if there are none. */
async function differenceFrom(page: Page, expected: string): Promise<string> {
  const end = Date.now() + patienceMs;
  let state = await stateOf(page).catch(String);
  while (state !== expected && Date.now() < end) {
    await page.waitForTimeout(50);
    state = await stateOf(page).catch(String);
  }
  return describeDifference(expected, state);
}

/** Lines of one text that the other lacks; `(order)` if only their order differs. */
export function describeDifference(expected: string, actual: string): string {
  if (expected === actual) return '';
  const [before, after] = [expected.split('\n'), actual.split('\n')];
  const lines = [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line.trim()}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line.trim()}`),
  ];
  return lines.length === 0 ? '(order or number)' : lines.slice(0, 12).join('\n');
}

async function coveredIn(page: Page): Promise<string[]> {
  const covered = await page.evaluate((): string[] => {
    const stryker: unknown = Reflect.get(globalThis, '__stryker__');
    const coverage: unknown = stryker instanceof Object ? Reflect.get(stryker, 'mutantCoverage') : undefined;
    const executed: unknown = coverage instanceof Object ? Reflect.get(coverage, 'static') : undefined;
    const earlier = sessionStorage.getItem('bench-covered') ?? '';
    return [...earlier.split(','), ...(executed instanceof Object ? Object.keys(executed) : [])];
  });
  return [...new Set(covered)].filter((id) => id !== '');
}
