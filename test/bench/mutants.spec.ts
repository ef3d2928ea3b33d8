import { formatTable, tellingMisses } from '../../bench/mutants/report.js';
import { instrument } from '../../bench/mutants/instrument.js';
import { spread, tryMutants } from '../../bench/mutants/run.js';
import { serveTexts } from '../../bench/mutants/site.js';
import { countAssertions } from '../../bench/mutants/specs.js';
import { describeDifference } from '../../bench/mutants/support.js';
import { expect, test } from '../fixtures.js';

const source = `
  let count = 0;
  document.querySelector('button').onclick = () => {
    count = count + 1;
    document.querySelector('h1').textContent = 'Items: ' + count;
    document.querySelector('p').textContent = 'Total: $' + count * 5;
    document.body.dataset.note = 'never seen';
  };
  function neverCalled() { return 'not executed'; }
`;
const page = `<!doctype html><title>Cart</title><button>Add</button><h1></h1><p></p><script src="/app.js"></script>`;
const flow = (...lines: string[]): string => `import { test, expect } from '@playwright/test';
  test('adds an item', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Add' }).click();
    ${lines.join('\n')}
  });`;
const items = `await expect(page.getByRole('heading')).toHaveText('Items: 1');`;
const total = `await expect(page.getByText('Total: $5')).toBeVisible();`;

test('counts the mutants that show and that a test catches', async ({}, info) => {
  const { files, mutants } = await instrument(new Map([['app.js', source]]));
  const site = await serveTexts({ '/index.html': page, '/app.js': files.get('app.js') ?? '' });
  try {
    const wanted = ["'Items: '", "'Total: $'", "'never seen'", "'not executed'"];
    const none = flow();
    const outcome = await tryMutants({
      name: 'cart',
      kind: 'lists and money',
      baseURL: site.url,
      mutants: mutants.filter(({ original }) => wanted.includes(original)),
      specs: {
        none,
        observing: `import { note } from '@playwright/test'; ${flow('await note(page);')}`,
        automatic: flow(items),
        'plus eight': flow(items),
        expert: flow(items, total),
      },
      folder: info.outputPath('run'),
      limit: Infinity,
      repeat: 2,
    });
    expect(outcome.counts).toEqual({ all: 4, executed: 3, tried: 3, diedOfClicking: 0 });
    expect(
      outcome.mutants.map(({ original, caught }) => [original, caught.automatic, caught.expert]),
    ).toEqual([
      ["'Items: '", true, true],
      ["'Total: $'", false, true],
    ]);
    expect(outcome.mutants[1]?.difference).toContain('Total: $5');
    expect(outcome.repeats.expert).toEqual({ runs: 2, passed: 2, failures: [] });
    expect(tellingMisses(outcome).map(({ original }) => original)).toEqual(["'Total: $'"]);
    expect(formatTable([outcome]).split('\n').at(-1)).toBe(
      '| all | 2 | 50 % (1) | 50 % (1) | 100 % (2) | 1 / 1 / 2 |',
    );
  } finally {
    await site.close();
  }
});

test('a sample is spread evenly and always the same', () => {
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4)).toEqual([0, 2, 5, 7]);
  expect(spread([0, 1], 4)).toEqual([0, 1]);
});

test('assertions in comments are not counted', () => {
  expect(countAssertions(`// expect(page)\n${flow(items, total)}`)).toBe(2);
});

test('a difference lists the lines that are missing and those that are new', () => {
  expect(describeDifference('a\nb', 'a\nc')).toBe('- b\n+ c');
  expect(describeDifference('a\nb', 'b\na')).toBe('(order or number)');
  expect(describeDifference('a', 'a')).toBe('');
});
