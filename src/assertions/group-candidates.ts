import type { Page } from 'playwright';
import { pinNow, pinRefs, type Pin } from '../browser/pin.js';
import { elementSnapshot } from '../browser/element-snapshot.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { within } from '../model/within.js';
import type { Candidate } from './candidates.js';
import type { PageChange } from './changes.js';
import { isEcho, limits, weights } from './choose.js';
import { assertionForms, clip, stableText, type AssertionArgs } from './forms.js';
import type { ListPins } from '../locators/list-locators.js';
import { literalLocator } from './line-matching.js';
import type { ListItem } from './lists.js';
import { snapshotMs } from './observe.js';
import { excludesOthers, regionsOf, rowsOf, templateOf } from './regions.js';

/** A page after a step, and what the test has entered. */
export interface ChangedPage {
  page: Page;
  pins: LinePins;
  view: SnapshotView;
  typed: readonly string[];
}

/** Roles of an element whose rows are asserted together. */
const tableRoles = new Set(['table', 'grid', 'treegrid']);
/** A step asserts at most one new list and one existing list. */
const listKinds = { new: 'list', changed: 'list that changed' };

/** Assertions of the contents and the lengths of changed lists. */
export async function listCandidates(
  change: PageChange & { kind: 'list' },
  { pins, view, typed }: ChangedPage,
): Promise<Candidate[]> {
  const { list } = change;
  const { line, role, items } = list;
  const isTyped = change.changed.some(({ words }) => isEcho(words, typed));
  const hasHeadings = items.some(({ title }) => partsOf(title).role === 'heading');
  const isMenu =
    change.isNew &&
    items.every(({ title, path, hasMore }) => path === 'link' && partsOf(title).role === 'link' && !hasMore);
  const isLinks = change.isNew && role === 'link';
  const own = isMenu ? weights.menu : isTyped ? weights.echoInList : isLinks ? weights.links : weights.list;
  const weight = own + (hasHeadings ? weights.ofHeadings : 0);
  const base = {
    weight,
    kind: listKinds[change.isNew ? 'new' : 'changed'],
    forms: assertionForms(change, typed),
    isNew: true,
  };
  const table = role === 'row' ? enclosing(view, line, tableRoles) : undefined;
  const lines = [
    line,
    ...(table === undefined ? [] : [table]),
    ...items.flatMap((item) => [item.line, item.title, ...(item.price === undefined ? [] : [item.price])]),
  ];
  const pin = await pins.of(lines);
  const around = pin(line);
  if (around === undefined) return [];
  const subject = { role, titleRole: '', around, items: [], titles: [] };
  const counts = new Set([items.length, ...(table === undefined ? [] : [rowsIn(view, table)])]);
  const countForms = [...counts].map((expected) => ({ matcher: 'toHaveCount', expected }));
  const hasOnlyLost = change.how === 'count' && change.changed.length === 0;
  const countWeight = hasOnlyLost ? weights.shorter : weights.count;
  const counted: Candidate = { ...base, weight: countWeight, kind: 'list count', forms: countForms, subject };
  if (role === 'row') {
    const place = table === undefined ? around : pin(table);
    if (place === undefined) return change.how === 'count' ? [counted] : [];
    const snapshot = await within(snapshotMs, elementSnapshot(around.locator, snapshotMs));
    // A short table of which most changed reads better as a whole.
    const isWhole =
      change.how === 'order' ||
      hasOnlyLost ||
      (items.length <= limits.maxItems && (change.isShorter || change.changed.length * 2 > items.length));
    const template = rowsOf(
      snapshot ?? '',
      items.map((item) => isWhole || change.changed.includes(item)),
      typed,
    );
    // If a table has only one row, that row is asserted instead of the table.
    const isOnly = items.length === 1 && (change.isNew || change.how !== 'count');
    const expected = isOnly ? (template.split('\n').at(-1) ?? '').trim() : template;
    const forms = [{ matcher: 'toMatchAriaSnapshot', expected }];
    const rows: Candidate[] = expected === '' ? [] : [{ ...base, forms, subject: { region: place } }];
    const saysNothing = expected === '' && change.changed.length > 0;
    return change.how === 'count' && !saysNothing && !excludesOthers(expected) ? [...rows, counted] : rows;
  }
  const isPlain = role === 'generic' || role === 'link';
  const byCount = change.how === 'count' && !isPlain && !isMenu ? [counted] : [];
  if (items.length === 0 || items.length > limits.maxItems) return byCount;
  const itemPins = items.map((item) => pin(item.line));
  const titlePins = items.map((item) => pin(item.title));
  // The options of a closed field have no references; its locator and their role find them.
  if (role === 'option' && !isWhole(itemPins)) return [...byCount, { ...base, subject }];
  if (!isWhole(itemPins) || !isWhole(titlePins)) return byCount;
  const titleRoles = new Set(items.map(({ title }) => partsOf(title).role ?? ''));
  const [titleRole = ''] = titleRoles.size === 1 ? titleRoles : [];
  const isOwn = items.every((item) => item.title === item.line);
  return [
    ...byCount,
    ...(isPlain && hasOnlyLost && items.length > 1
      ? [{ ...counted, subject: { ...subject, items: itemPins } }]
      : []),
    ...(change.isNew ? priceCandidates(items, { ...subject, items: itemPins }, pin) : []),
    { ...base, subject: { ...subject, items: itemPins, titles: isOwn ? [] : titlePins, titleRole } },
  ];
}

function priceCandidates(
  items: readonly ListItem[],
  subject: ListPins,
  pin: (line: SnapshotLine) => Pin | undefined,
): Candidate[] {
  const prices = items.map(({ price, title }) => (price === title ? undefined : price));
  const pins = prices.map((price) => price && pin(price));
  if (!isWhole(pins)) return [];
  const expected = prices.map((price) => (price && partsOf(price).text) ?? '');
  const forms = [{ matcher: 'toHaveText', expected }];
  return [
    { weight: weights.prices, kind: 'prices', forms, subject: { ...subject, titles: pins }, isNew: true },
  ];
}

function isWhole(pins: (Pin | undefined)[]): pins is Pin[] {
  return pins.every((each) => each !== undefined);
}

/** A row group with a text is a group of a table's rows. */
const messageRoles = new Set(['generic', 'paragraph', 'text', 'listitem', 'rowgroup']);

/** Assertions of similar new texts in different places, such as the messages next to the fields of a form. */
export async function messageCandidates(
  changes: readonly PageChange[],
  { page, pins, view, typed }: ChangedPage,
): Promise<Candidate[]> {
  const appeared = changes.flatMap((change) => {
    const { role = '', text = '' } = partsOf(change.line);
    const isText = change.kind === 'appeared' && messageRoles.has(role) && /\p{L}/u.test(text);
    return isText ? [{ line: change.line, text }] : [];
  });
  const [first] = appeared;
  if (first === undefined || appeared.length < 2 || appeared.length > limits.maxItems) return [];
  const outer = commonAncestor(view, new Set(appeared.map(({ line }) => line)));
  const pin = await pins.of([...appeared.map(({ line }) => line), ...(outer === undefined ? [] : [outer])]);
  // An element that is part of a line has no reference in the snapshot.
  const found = appeared.map(
    async ({ line, text }) => pin(line) ?? within(snapshotMs, pinNow(page.getByText(text, { exact: true }))),
  );
  const items = (await Promise.all(found)).filter((each) => each !== undefined);
  const around = outer && pin(outer);
  if (around === undefined || items.length < appeared.length) return [];
  const expected = appeared.map(({ text }) => stableText(clip(text), typed));
  const single = messagesOneByOne(
    appeared.map(({ line }, index) => ({ line, pin: items[index] })),
    typed,
  );
  return [
    ...single,
    {
      weight: weights.messages,
      kind: 'list',
      forms: [{ matcher: 'toHaveText', expected }],
      subject: { role: 'generic', titleRole: '', around, items, titles: [] },
      isNew: true,
    },
  ];
}

/** What a message has, unlike an option. */
const minWords = /\S \S+ \S/;

/** Two or three messages of one kind, for pages on which only utility classes say that they are alike. */
function messagesOneByOne(
  texts: readonly { line: SnapshotLine; pin: Pin | undefined }[],
  typed: readonly string[],
): Candidate[] {
  const classesOf = (pin: Pin | undefined): string => pin?.facts.state.classes.join(' ') ?? '';
  const alike = texts.filter(({ pin }) => {
    const same = texts.filter((other) => classesOf(other.pin) === classesOf(pin));
    const isMessage = same.every(({ line }) => minWords.test(partsOf(line).text ?? ''));
    return isMessage && classesOf(pin) !== '' && same.length > 1 && same.length <= limits.maxAssertions;
  });
  return alike.flatMap(({ line }, index): Candidate[] => {
    const chain = literalLocator(line, typed);
    if (chain === undefined) return [];
    const weight = weights.single - index / 100;
    const forms = [{ matcher: 'toBeVisible' }];
    return [{ weight, kind: `message ${index}`, subject: { chain }, forms, isNew: true }];
  });
}

function commonAncestor(view: SnapshotView, inner: ReadonlySet<SnapshotLine>): SnapshotLine | undefined {
  let common: SnapshotLine[] | undefined;
  const path: SnapshotLine[] = [];
  for (const line of view) {
    path.length = line.depth;
    path[line.depth] = line;
    if (inner.has(line)) common = (common ?? path.slice(0, -1)).filter((each) => path.includes(each));
  }
  return common?.findLast(({ ref }) => ref !== undefined);
}

/**
 * Snapshot assertions of elements that contain several new texts; the nearest one with a good locator is chosen. Takes the
 * snapshot only when the candidate is checked.
 */
export async function regionCandidates(
  changes: readonly PageChange[],
  before: SnapshotView,
  { pins, view, typed }: ChangedPage,
): Promise<Candidate[]> {
  const regions = regionsOf(changes, before, view);
  const pin = await pins.of(regions.flatMap(({ lines, amounts }) => [...lines, ...amounts]));
  return regions.flatMap(({ lines, texts, ofList, amounts }, rank) => [
    ...amountCandidates(amounts, rank, pin, typed),
    ...lines.flatMap((line, level): Candidate[] => {
      const region = pin(line);
      if (region === undefined) return [];
      const forms = async (): Promise<AssertionArgs[]> => {
        const snapshot = await within(snapshotMs, elementSnapshot(region.locator, snapshotMs));
        const expected = snapshot === undefined ? undefined : templateOf(snapshot, texts, typed);
        return expected === undefined ? [] : [{ matcher: 'toMatchAriaSnapshot', expected }];
      };
      // Assertions of a list's titles and prices are shorter.
      const weight = (ofList === undefined ? weights.region : weights.regionOfList) - rank / 10 - level / 100;
      return [
        {
          weight,
          kind: ofList === undefined ? 'region' : listKinds[ofList],
          subject: { region },
          forms,
          isNew: true,
        },
      ];
    }),
  ]);
}

/** Assertions of single labelled amounts, for a region whose snapshot would be one long text. */
function amountCandidates(
  lines: readonly SnapshotLine[],
  rank: number,
  pin: (line: SnapshotLine) => Pin | undefined,
  typed: readonly string[],
): Candidate[] {
  return lines.flatMap((line, index) => {
    const element = pin(line);
    const { text = '' } = partsOf(line);
    if (element === undefined || lines.length < 2) return [];
    const forms = assertionForms({ kind: 'text', line, text }, typed);
    const weight = weights.amounts - rank / 10 - index / 100;
    return [{ weight, kind: `amount ${index}`, subject: { pin: element, words: text }, forms, isNew: true }];
  });
}

/** Pins the elements of lines; concurrent calls share one round trip to the main frame. */
export class LinePins {
  private waiting = new Set<string>();
  private batch: Promise<ReadonlyMap<string, Pin> | undefined> | undefined;

  constructor(
    private readonly page: Page,
    private readonly testIdAttribute: string,
  ) {}

  async of(lines: readonly SnapshotLine[]): Promise<(line: SnapshotLine) => Pin | undefined> {
    for (const { ref } of lines) if (ref !== undefined) this.waiting.add(ref);
    this.batch ??= Promise.resolve().then(() => {
      const refs = this.waiting;
      this.waiting = new Set();
      this.batch = undefined;
      return within(snapshotMs, pinRefs(this.page, refs, this.testIdAttribute));
    });
    const pins = await this.batch;
    return ({ ref }) => (ref === undefined ? undefined : pins?.get(ref));
  }
}

/** The number of a table's rows, including the header. */
function rowsIn(view: SnapshotView, table: SnapshotLine): number {
  const below = view.slice(view.indexOf(table) + 1);
  const end = below.findIndex(({ depth }) => depth <= table.depth);
  return below.slice(0, end < 0 ? undefined : end).filter((line) => partsOf(line).role === 'row').length;
}

/** A line or its nearest ancestor with one of the roles. */
function enclosing(
  view: SnapshotView,
  line: SnapshotLine,
  roles: ReadonlySet<string>,
): SnapshotLine | undefined {
  let depth = line.depth + 1;
  return view
    .slice(0, view.indexOf(line) + 1)
    .toReversed()
    .find((each) => {
      if (each.depth >= depth) return false;
      depth = each.depth;
      return roles.has(partsOf(each).role ?? '');
    });
}
