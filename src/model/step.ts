import type { Json } from './json.js';
import type { Template } from './template.js';
import type { LocatorChain } from './locator.js';

/** What `expect` asserts: the part of its step that says so. */
export interface Assertion {
  /** The element asserted; undefined for the page. */
  locator?: LocatorChain;
  /** The fields of `expect`. */
  args: { [name: string]: Json };
}

/** The same text for assertions that mean the same. */
export function assertionKey({ locator, args: { not, options, ...args } }: Assertion): string {
  return JSON.stringify([locator, args, options ?? {}, not === true], (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

/** What an action caused besides its effects in the page, which its test waits for. */
export type Signal =
  /** A page opened: `page` if its opener is unknown. */
  | { type: 'popup' | 'page'; page: string }
  | { type: 'download'; suggestedFilename: string | Template }
  /** A file chooser opened, which the action answered. */
  | { type: 'filechooser' };

/**
 * One recorded step of a session. A session is nothing but its list of steps: the generator, `get` and `undo`
 * read nothing else.
 */
export interface Step {
  /** Name of the action that made it, e.g. `click`. */
  action: string;
  /** The element acted on or asserted, if there is one. */
  locator?: LocatorChain;
  /** Another locator of the same element, for an id that may change from run to run. */
  alternative?: LocatorChain;
  /** The second element, of an action that takes one. */
  to?: LocatorChain;
  /** What a picture hides. */
  mask?: LocatorChain[];
  /** The action's own fields, validated: what `emit` needs besides the locator. */
  args: { [name: string]: Json };
  /** Id of the page that it and its assertions use; the session's first by default. */
  page?: string;
  /** What it caused, in order. */
  signals?: Signal[];
  /** Set if the page wrote to the clipboard. */
  copies?: true;
  /** Set if the page loaded another document because of it. */
  loads?: true;
  /** Address of the page that it led to, without the query. */
  leadsTo?: string;
  /** Description of the element for a person if its locator is brittle; quotes the page's words. */
  seen?: string;
  /** Becomes the comment above the step. */
  note?: string;
  /** What the step visibly did, found by comparing the page before and after it. */
  assertions?: Assertion[];
  /** Set if the step changed the document beyond the element it acted on. */
  changedPage?: true;
  /** Milliseconds that the step took, if they are many. */
  slowMs?: number;
  /** Milliseconds after which its effects still came, if they are many. */
  lateMs?: number;
  /** Set if the page then showed what depends on the day on which the test runs. */
  showsToday?: true;
  /** Set if the step could not be checked while recording; only a run of the test proves it. */
  unchecked?: true;
}
