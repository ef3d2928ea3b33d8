import { looseForms, isLooseFormOf } from '../locators/loose-forms.js';
import { isRole } from '../locators/roles.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isOptions, isPattern, type LocatorArgument, type LocatorChain } from '../model/locator.js';
import { isVolatile } from '../model/volatile.js';
import { clip } from './forms.js';

/** Whether a text matches a locator's argument. */
function matchesText(text: string, wanted: LocatorArgument | undefined): boolean {
  if (typeof wanted === 'string') return text.toLowerCase().includes(wanted.toLowerCase());
  return isPattern(wanted) && isLooseFormOf(wanted, text);
}

/** Whether the last call of a locator matches the element of a snapshot's line. */
export function matchesLine(chain: LocatorChain, line: SnapshotLine): boolean {
  const call = chain.at(-1);
  const { role, name = '', text = '' } = partsOf(line);
  const [first, options] = call?.args ?? [];
  if (call?.method === 'getByRole') {
    const wanted = isOptions(options) ? options['name'] : undefined;
    return first === role && (wanted === undefined || matchesText(name, wanted));
  }
  return (
    call?.method !== 'locator' && [name, text, `${name} ${text}`].some((words) => matchesText(words, first))
  );
}

/** A locator by role and name, or by text, that matches only this line of the page before, and none after. */
export function uniqueLocator(
  line: SnapshotLine,
  before: SnapshotView,
  after: SnapshotView,
): LocatorChain | undefined {
  const { role, name, text } = partsOf(line);
  const words = name ?? text;
  if (role === undefined || words === undefined || !/\p{L}/u.test(words) || isVolatile(words))
    return undefined;
  const [chain] = looseForms(
    name === undefined
      ? [{ method: 'getByText', args: [clip(words)] }]
      : [{ method: 'getByRole', args: [role, { name }] }],
  );
  if (chain === undefined) return undefined;
  const count = (view: SnapshotView): number => view.filter((each) => matchesLine(chain, each)).length;
  const isKnown = name === undefined || isRole(role);
  return isKnown && count(before) === 1 && count(after) === 0 ? chain : undefined;
}
