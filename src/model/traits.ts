/** The properties of an action on which other code depends, instead of on its name. */
export interface Traits {
  /** Whether it changes the page, expects an event that the next action causes, or does neither. */
  kind: 'mutates' | 'expects' | 'passive';
  /** Sets the value of a field. */
  types?: true;
  selects?: true;
  /** Sets the state of a checkbox or radio button. */
  toggles?: true;
  clicks?: true;
  /** Presses a key, by default on the focused element. */
  pressesKey?: true;
  /** Drags what is selected, or starts to. */
  drags?: true;
  /** Submits a form if its target is a button, or its key is Enter. */
  submits?: true;
  /** The first word in the name of a page object's method; the action's name by default. */
  verb?: string;
  /** Loads a document and waits for it. */
  navigates?: true;
  /** Navigates to its `url`. */
  opensUrl?: true;
  opensPage?: true;
  /** Opens a page in its own context. */
  opensContext?: true;
  switchesPage?: true;
  closesPage?: true;
  usesDownload?: true;
  /** Opens the `test.step` of its `title`. */
  opensGroup?: true;
  /** Is an assertion: its step has the fields of one. */
  asserts?: true;
  /** Fails if an earlier step did not work. */
  verifies?: true;
  /** The matcher that is true of its target afterwards. */
  outcome?: 'toBeFocused' | 'toBeInViewport';
  /** Registers a handler of its target on the page. */
  handlesOverlay?: true;
  /** Changes nothing worth asserting. */
  needsNoAssertion?: true;
  sendsRequest?: true;
  /** Lets a person record steps while it runs. */
  asksPerson?: true;
  /** Changes how time passes, so that later changes are not effects of a step. */
  changesClock?: true;
}
