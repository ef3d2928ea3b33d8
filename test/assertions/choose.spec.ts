import { parseSnapshot } from '../../src/browser/snapshot.js';
import { appearances, changesBetween } from '../../src/assertions/changes.js';
import { choose, isEcho, limits, weightOf, weights, type Weighted } from '../../src/assertions/choose.js';
import type { Assertion } from '../../src/model/step.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

const candidate = (kind: string, weight: number): Weighted => ({ kind, weight });
const heading = candidate('appeared heading', weights.appeared['heading'] ?? 0);
const link = candidate('appeared link', weights.appeared['link'] ?? 0);
const value = candidate('state value', weights.own.value);
const url = candidate('url', weights.url);
const order = candidate('list', weights.count);
const gone = candidate('gone', weights.gone.only);
const list = candidate('list', weights.list);
const links = candidate('list', weights.links);
const checkedState = candidate('state checked', weights.own.checked);
const status = candidate('text ', weights.text.live);
const paragraph = candidate('text ', weights.text.other);

/** The kinds of the candidates that are chosen, and in which order they are checked. */
function chosenOf(candidates: Weighted[], isTrue: (candidate: Weighted) => boolean): unknown[][] {
  const checked = new Map<Weighted, Assertion | undefined>();
  let { chosen, next } = choose(candidates, checked);
  while (next !== undefined) {
    checked.set(next, isTrue(next) ? { args: { matcher: name(next) } } : undefined);
    ({ chosen, next } = choose(candidates, checked));
  }
  return [chosen.map(({ args }) => args['matcher']), [...checked.keys()].map(name)];
}
const name = ({ kind, weight }: Weighted): string => `${kind} ${weight}`;

const rows: {
  what: string;
  candidates: Weighted[];
  untrue?: Weighted[];
  chosen: Weighted[];
  checked?: Weighted[];
}[] = [
  { what: 'nothing of nothing', candidates: [], chosen: [] },
  { what: 'the heaviest first', candidates: [url, value], chosen: [value, url] },
  {
    what: 'no more than the limit, and checks no more',
    candidates: [order, url, status, value],
    chosen: [value, status, url],
  },
  { what: 'a light one if it is alone', candidates: [link], chosen: [link] },
  { what: 'no light one beside another', candidates: [link, url], chosen: [url] },
  {
    what: 'a light one if the heavy ones are not true',
    candidates: [link, url],
    untrue: [url],
    chosen: [link],
    checked: [url, link],
  },
  { what: 'one of a kind', candidates: [paragraph, status, heading], chosen: [status, heading] },
  {
    what: 'the next of a kind if the heavier one is not true',
    candidates: [paragraph, status],
    untrue: [status],
    chosen: [paragraph],
    checked: [status, paragraph],
  },
  {
    what: 'what disappeared beside the state of the element',
    candidates: [gone, value],
    chosen: [value, gone],
  },
  { what: 'what disappeared not beside a list', candidates: [gone, list], chosen: [list] },
  {
    what: 'what disappeared beside a checked box',
    candidates: [gone, checkedState],
    chosen: [checkedState, gone],
  },
  { what: 'no checked box beside a list', candidates: [checkedState, list], chosen: [list] },
  { what: 'new links if there is nothing else', candidates: [links, link], chosen: [links] },
  { what: 'no new links beside a new view', candidates: [links, url], chosen: [url] },
  { what: 'nothing if nothing is true', candidates: [value], untrue: [value], chosen: [], checked: [value] },
];
const choices = new Rows();
for (const { what, candidates, untrue = [], chosen, checked = chosen } of rows)
  choices.add(`chooses ${what}`, () => {
    const outcome = chosenOf(candidates, (each) => !untrue.includes(each));
    expect(outcome).toEqual([chosen.map(name), checked.map(name)]);
  });
test('the best assertions are chosen', () => choices.check());

/** Lines of a snapshot, from the one that says most about a step to the one that says least. */
const lines = [
  '- alert [ref=e2]: Saved',
  '- dialog "Delete?" [ref=e2]',
  '- status [ref=e2]: Saved',
  '- heading "Orders" [level=1] [ref=e2]',
  '- paragraph [ref=e2]: Thank you',
  '- generic [ref=e2]: Thank you',
  '- listitem [ref=e2]: Milk',
  '- cell "Ann Lee" [ref=e2]',
  '- generic [ref=e2]: App v26.9.0',
  '- cell "0" [ref=e2]',
  '- link "Home" [ref=e2]',
  '- textbox "Name" [ref=e2]',
  '- separator "Rest" [ref=e2]',
  '- img "Logo" [ref=e2]',
];
test('messages weigh more than content, and content more than controls', () => {
  const ofLines = lines.flatMap((line) => appearances(parseSnapshot(line)).map((change) => weightOf(change)));
  expect(ofLines).toHaveLength(lines.length);
  expect(ofLines).toEqual(ofLines.toSorted((one, other) => other - one));
});

test('that a box is checked weighs less than a list', () => {
  const [before = [], after = []] = ['', ' [checked]'].map((state) =>
    parseSnapshot(`- main [ref=e1]:\n  - checkbox "Laptop"${state} [ref=e2]`),
  );
  const [change] = changesBetween(before, after, new Set()).changes;
  expect(change?.kind).toBe('state');
  expect(change && weightOf(change)).toBeLessThan(limits.minBesideGroup);
});

test('a count weighs more than another new text', () => {
  const [change] = appearances(parseSnapshot('- text: Page 2 of 3'));
  expect(change?.kind === 'appeared' && weightOf({ ...change, isRecount: true })).toBe(
    weights.text.withNumber,
  );
});

const echoes = new Rows();
for (const [text, typed, is] of [
  ['Hello Ann', 'Ann', true],
  ['Two bags of beans and one of kale', 'beans', false],
  ['Seed beans', 'beans', true],
  ['Only pets of this status', 'pets', false],
  ['Petshop', 'pets', false],
  ['The order 48213 of Ann Smith was sent to Berlin', 'ann smith', true],
  ['Booked for 2026-02-28, thank you very much', '2026-02-28', true],
] as const)
  echoes.add(`"${typed}" is ${is ? '' : 'not '}shown by "${text}"`, () => {
    expect(isEcho(text, [typed])).toBe(is);
  });
test('a text shows what was typed, or does not', () => echoes.check());

test('an echo of several values weighs more than one of a single value', () => {
  const page = ['- link "On budget 250.50" [ref=e2]', '- link "Savings jar 250.50" [ref=e3]'].join('\n');
  const [one, several] = appearances(parseSnapshot(page)).map((change) =>
    weightOf(change, ['Savings jar', '250.50']),
  );
  expect(several).toBeGreaterThan(one ?? Infinity);
});
