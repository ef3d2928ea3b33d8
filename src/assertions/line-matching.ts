import { looseForms, isLooseFormOf } from '../locators/loose-forms.js';
import { isRole } from '../locators/roles.js';
import { partsOf, type SnapshotLine, type SnapshotView } from '../browser/snapshot.js';
import { isOptions, isPattern, type LocatorArgument, type LocatorChain } from '../model/locator.js';
import { isVolatile } from '../model/volatile.js';
import { clip } from './candidates.js';

/** Whether a text is as a locator wants it. */
function fits(text: string, wanted: LocatorArgument | undefined): boolean {
  if (typeof wanted === 'string') return text.toLowerCase().includes(wanted.toLowerCase());
  return isPattern(wanted) && isLooseFormOf(wanted, text);
}

/** Whether the last part of a locator tells an element as a snapshot's line does. */
export function isCalled(chain: LocatorChain, line: SnapshotLine): boolean {
  const call = chain.at(-1);
  const { role, name = '', text = '' } = partsOf(line);
  const [first, options] = call?.args ?? [];
  if (call?.method === 'getByRole') {
    const wanted = isOptions(options) ? options['name'] : undefined;
    return first === role && (wanted === undefined || fits(name, wanted));
  }
  return call?.method !== 'locator' && [name, text, `${name} ${text}`].some((words) => fits(words, first));
}

/** A locator by role and name, or by text, that only this line of the page before has, and none after. */
export function onlyCalled(
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
  const count = (view: SnapshotView): number => view.filter((each) => isCalled(chain, each)).length;
  const isKnown = name === undefined || isRole(role);
  return isKnown && count(before) === 1 && count(after) === 0 ? chain : undefined;
}
