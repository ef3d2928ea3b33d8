/** What the rest of the program may know of an action, so that nothing depends on its name. */
export interface Traits {
  /** Whether it changes the page, waits for something that the next action causes, or leaves the page as it is. */
  kind: 'mutates' | 'expects' | 'passive';
  /** Sets the value of a field. */
  types?: true;
  /** Sets it to options of a list. */
  selects?: true;
  /** Sets the state of a checkbox or radio button. */
  toggles?: true;
  /** Clicks or taps its target. */
  clicks?: true;
  /** Presses a key, by default on the focused element. */
  pressesKey?: true;
  /** Submits a form if its target is a button, or its key is Enter. */
  submits?: true;
  /** The first word of a page object method that does it; the action's name by default. */
  verb?: string;
  /** Loads a document and waits for it. */
  navigates?: true;
  /** Navigates to its `url`. */
  opensUrl?: true;
  opensPage?: true;
  /** Opens it in a context of its own. */
  opensContext?: true;
  switchesPage?: true;
  closesPage?: true;
  /** Uses the latest download. */
  usesDownload?: true;
  /** Opens the `test.step` of its `title`. */
  opensGroup?: true;
  /** Is an assertion, with the fields of one. */
  asserts?: true;
  /** Fails if an earlier step did not work. */
  verifies?: true;
  /** The matcher that is true of its target afterwards. */
  outcome?: 'toBeFocused' | 'toBeInViewport';
  /** Registers a handler of its target on the page. */
  handlesOverlay?: true;
  /** Changes nothing that a reviewer would want to be asserted. */
  needsNoAssertion?: true;
  /** Sends a request that is no page's. */
  sendsRequest?: true;
  /** Lets a person record steps while it runs. */
  asksPerson?: true;
  /** Changes how time passes: the changes that follow are no effects of a step. */
  changesClock?: true;
}
