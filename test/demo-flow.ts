import type { Connection, Result } from './fixtures.js';

/** One call of the flow and its result. */
export interface Exchange {
  tool: string;
  /** The session's title, if the call has one. */
  title: string | undefined;
  /** The actions of `record_codegen_session`; empty for other tools. */
  actions: FlowAction[];
  result: Result;
  /** Milliseconds from the call to its result. */
  ms: number;
}

export interface FlowAction {
  action: string;
  target?: string;
  title?: string;
  record?: boolean | undefined;
  [field: string]: unknown;
}

/** The actions of one call; `ref` finds the ref of an element in the snapshots so far, by parts of its line. */
export type Turn = (ref: (...parts: string[]) => string) => FlowAction[];

const response = "getByRole('row').filter({ hasText: 'Response body' }).getByRole('code')";
const tryItOut = "getByRole('button', { name: 'Try it out' })";
const execute = "getByRole('button', { name: 'Execute' })";

/** Finds an affordable pet in the petstore and orders it. */
export const petstoreTurns: Turn[] = [
  (ref) => [
    { action: 'expect', matcher: 'toHaveTitle', expected: 'Petstore' },
    { action: 'step', title: 'Look for available pets up to 100' },
    { action: 'fill', target: ref('textbox "Filter by tag or path"'), value: 'pets' },
    { action: 'expect', target: "getByText('Buying a pet')", matcher: 'toBeHidden' },
    { action: 'click', target: ref('button "GET /pets Lists the pets"') },
    { action: 'expect', matcher: 'toHaveURL', expected: '/#/pets/listPets' },
  ],
  (ref) => [
    { action: 'click', target: ref('button "Try it out"') },
    { action: 'selectOption', target: ref('combobox [disabled]'), values: 'available' },
    { action: 'fill', target: "getByRole('textbox', { name: 'maxPrice' })", value: '100' },
    { action: 'click', target: execute },
  ],
  (ref) => [
    { action: 'expect', target: 'getByText(/maxPrice=100$/)', matcher: 'toBeVisible' },
    {
      action: 'expect',
      target: ref('- code', "Peanut O'Hara"),
      matcher: 'toContainText',
      expected: "Peanut O'Hara",
    },
    {
      action: 'expect',
      target: ref('- code', "Peanut O'Hara"),
      not: true,
      matcher: 'toContainText',
      expected: 'Rex',
      note: 'Rex is available too, but costs 250.',
    },
    { action: 'click', target: ref('button "Clear"') },
    {
      action: 'expect',
      target: "getByRole('heading', { name: 'Server response' })",
      matcher: 'toBeHidden',
    },
    { action: 'click', target: ref('button "GET /pets Lists the pets"') },
  ],
  (ref) => [
    { action: 'step', title: 'Order two of them' },
    { action: 'fill', target: ref('textbox "Filter by tag or path"'), value: 'orders' },
    { action: 'expect', target: "getByRole('link', { name: 'pets', exact: true })", matcher: 'toBeHidden' },
    { action: 'click', target: "getByRole('button', { name: 'POST /orders Orders a pet' })" },
  ],
  // Looking up the schema of the body is not part of the test.
  (ref) => [{ action: 'click', target: ref('tab "Schema"'), record: false }],
  (ref) => [
    { action: 'click', target: ref('tab "Example Value"'), record: false },
    { action: 'click', target: tryItOut },
    {
      action: 'fill',
      target: "getByRole('tabpanel', { name: 'Edit Value' }).getByRole('textbox')",
      value: '{"petId": 3, "quantity": 2, "message": "It\'s for Ann\'s birthday"}',
    },
    { action: 'click', target: execute },
  ],
  (ref) => [
    {
      action: 'expect',
      target: ref('- code', '\\"total\\": 70'),
      matcher: 'toContainText',
      expected: '"total": 70',
      note: 'The price comes from the server: 2 x 35.',
    },
    { action: 'click', target: ref('button "POST /orders Orders a pet"') },
    { action: 'step', title: 'Find the order in the list' },
    { action: 'click', target: ref('button "GET /orders Lists the orders"') },
    { action: 'click', target: tryItOut },
    { action: 'click', target: execute },
    {
      action: 'expect',
      target: response,
      matcher: 'toContainText',
      expected: "It's for Ann's birthday",
    },
  ],
];

export interface FlowOptions {
  /** The petstore's by default. */
  turns?: readonly Turn[];
  /** Where the flow begins, from `baseURL`. */
  path?: string;
  /** Also records the actions with `record: false`. */
  recordAll?: boolean;
}

/**
 * Runs a flow on the application at `baseURL` as an agent would: reads a snapshot, sends several actions, reads what
 * changed, and ends the session. Throws if a call fails.
 */
export async function* playFlow(
  { call }: Pick<Connection, 'call'>,
  baseURL: string,
  { turns = petstoreTurns, path = '/', recordAll = false }: FlowOptions = {},
): AsyncGenerator<Exchange> {
  const seen: string[] = [];
  async function* exchange(
    tool: string,
    args: { title?: string; actions?: FlowAction[]; [field: string]: unknown },
  ): AsyncGenerator<Exchange, Result> {
    const before = performance.now();
    const result = await call(tool, args);
    const { title, actions = [] } = args;
    yield { tool, title, actions, result, ms: performance.now() - before };
    if (result.isError) throw new Error(`${tool} failed:\n${result.text}`);
    seen.unshift(result.snapshot);
    return result;
  }

  const { sessionId } = yield* exchange('start_codegen_session', {
    title: 'finds an affordable pet and orders it',
    url: path,
    use: { baseURL },
  });
  for (const turn of turns) {
    const actions = turn((...parts) => refIn(seen, parts)).map((action) =>
      recordAll ? { ...action, record: undefined } : action,
    );
    yield* exchange('record_codegen_session', { sessionId, actions });
  }
  yield* exchange('end_codegen_session', { sessionId, onConflict: 'overwrite', include: [] });
}

/** The ref on the first line with all these parts, in the newest snapshot that has one. */
export function refIn(snapshots: readonly string[], parts: readonly string[]): string {
  for (const line of snapshots.join('\n').split('\n')) {
    const isGone = /^- +- /.test(line);
    const ref = / \[ref=(\w+)\]/.exec(line)?.[1];
    if (!isGone && ref !== undefined && parts.every((part) => line.includes(part))) return ref;
  }
  throw new Error(`No snapshot shows ${parts.join(' ')}:\n${snapshots[0] ?? ''}`);
}
