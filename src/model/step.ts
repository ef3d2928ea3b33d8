import { sortedJson, type Json } from './json.js';
import type { Template } from './template.js';
import type { LocatorChain } from './locator.js';

/** What a step of `expect` asserts. */
export interface Assertion {
  /** The element asserted; undefined for the page. */
  locator?: LocatorChain;
  args: { [name: string]: Json };
}

/** The same text for assertions that mean the same. */
export function assertionKey({ locator, args: { not, options, ...args } }: Assertion): string {
  return sortedJson([locator, args, options ?? {}, not === true]);
}

/** An event that an action caused, for which its test waits. */
export type Signal =
  /** A page opened; `page` if its opener is unknown. */
  | { type: 'popup' | 'page'; page: string }
  | { type: 'download'; suggestedFilename: string | Template }
  /** A file chooser opened, which the action answered. */
  | { type: 'filechooser' };

/** One recorded step. A session is its list of steps: the generator, `get` and `undo` read nothing else. */
export interface Step {
  /** Name of the action, e.g. `click`. */
  action: string;
  locator?: LocatorChain;
  /** Another locator of the same element if the id in `locator` may change from run to run. */
  alternative?: LocatorChain;
  /** Other locators of the same element, with which page objects of the user act. */
  own?: LocatorChain[];
  /** The second element, e.g. of `dragTo`. */
  to?: LocatorChain;
  /** Elements that are masked in a screenshot. */
  mask?: LocatorChain[];
  /** The validated fields of the action. */
  args: { [name: string]: Json };
  /** Id of the page; the session's first by default. */
  page?: string;
  signals?: Signal[];
  /** Set if the page wrote to the clipboard. */
  copies?: true;
  /** Set if it loaded another document. */
  loads?: true;
  /** URL of the page that it led to, without the query. */
  leadsTo?: string;
  /** Description of the element, quoting the page, if its locator is brittle. */
  seen?: string;
  /** A comment above the step. */
  note?: string;
  /** Automatic assertions of what the step changed. */
  assertions?: Assertion[];
  /** Set if the step changed the document beyond the element it acted on. */
  changedPage?: true;
  /** Milliseconds that a slow step took. */
  slowMs?: number;
  /** Milliseconds after which its last effects appeared, if they were late. */
  lateMs?: number;
  /** Set if the page then showed something that depends on the current date. */
  showsToday?: true;
  /** Set if only a run of the test can check the step. */
  unchecked?: true;
}
