import type { Json } from './json.js';
import type { LocatorChain } from './locator.js';

/**
 * One recorded step of a session. A session is nothing but its list of steps: the generator, `get` and `undo`
 * read nothing else.
 */
export interface Step {
  /** Name of the action that made it, e.g. `click`. */
  action: string;
  /** The element acted on or asserted, where there is one. */
  locator?: LocatorChain;
  /** The action's own fields, validated: what `emit` needs besides the locator. */
  args: { [name: string]: Json };
  /** Becomes the comment above the step. */
  note?: string;
  /** Set where the step could not be checked while recording; only a run of the test proves it. */
  unchecked?: true;
}
