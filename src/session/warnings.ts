import { cleanUpStart, traitsOf } from '../actions/registry.js';
import type { Json } from '../model/json.js';
import { parseFields, referencesIn, seemsReference } from '../model/template.js';
import type { Step } from '../model/step.js';
import { stringsIn } from '../model/text.js';
import { brittleness, type Brittleness } from '../locators/brittle.js';
import { holdsSecret, isSecretInput } from './secret-like.js';
import type { Session } from './session.js';

/** Maximum number of steps that a warning names. */
const named = 8;

/**
 * What a reviewer would criticize in the test: a line per kind of weakness, with its remedy. Names steps by index, and
 * quotes no page content and no values.
 */
export function sessionWarnings({ steps, use }: Pick<Session, 'steps' | 'use'>): string[] {
  return [
    ...assertionWarnings(steps),
    ...clockWarnings(steps),
    ...locatorWarnings(steps),
    ...secretWarnings(steps, use),
    ...originWarnings(steps, use),
  ];
}

/** Warnings about what was not recorded, and about page objects that could not be used. */
export function callWarnings(
  { failedCall, steps, unobserved = new Set() }: Pick<Session, 'failedCall' | 'steps' | 'unobserved'>,
  source: { warnings: readonly string[] } = { warnings: [] },
): string[] {
  const pending = steps.slice(steps.findLastIndex((step) => traitsOf(step).kind === 'mutates') + 1);
  const first = steps.length - pending.length;
  const left = failedCall?.left ?? 0;
  const missing =
    left === 0
      ? 'was not recorded. Record it'
      : `and the ${left === 1 ? 'action' : `${left} actions`} after it were not recorded. Record them`;
  return [
    ...source.warnings,
    ...(failedCall === undefined
      ? []
      : [
          `The last call of record_codegen_session failed: its ${failedCall.action} ${missing} if the test needs ${left === 0 ? 'it' : 'them'}.`,
        ]),
    ...stepWarning(
      indexesOf(steps, (step) => unobserved.has(step)),
      (which) =>
        `The page did not respond after ${which}, so its effects were not observed: nothing is asserted of them.`,
    ),
    ...stepWarning(
      pending.flatMap((step, index) => (traitsOf(step).kind === 'expects' ? [first + index] : [])),
      (which) =>
        `No action follows ${which}, so the test omits it: record it before the action that causes it.`,
    ),
  ];
}

/** Warnings about steps that only a run of the test can check, if it was not run. */
export function uncheckedWarnings({ steps }: Pick<Session, 'steps'>): string[] {
  return stepWarning(
    indexesOf(steps, ({ unchecked }) => unchecked === true),
    (which) =>
      `No run has checked ${which}: end with verify "require", or run the test with --update-snapshots to create the reference screenshots.`,
  );
}

function clockWarnings(steps: readonly Step[]): string[] {
  if (steps.some((step) => traitsOf(step).changesClock)) return [];
  return stepWarning(
    indexesOf(steps, ({ showsToday }) => showsToday === true),
    (which) =>
      `The page shows what depends on the day of the run after ${which}: record clock.setFixedTime before the page opens, then an expect of it.`,
  );
}

function assertionWarnings(steps: readonly Step[]): string[] {
  const asserts = (step: Step): boolean => traitsOf(step).asserts === true || !!step.assertions?.length;
  if (!steps.some(asserts))
    return ['The test asserts nothing: record an expect for what the flow should show.'];
  const expectsEvent = (step: Step | undefined): boolean =>
    step !== undefined && traitsOf(step).kind === 'expects';
  const isBlind = (step: Step, index: number): boolean => {
    if (isPassive(step) || traitsOf(step).verifies || asserts(step)) return false;
    // What a later step depends on is proven by what that step shows.
    const later = steps.slice(index + 1);
    const isProven = later.some(dependsOnFields) && (step.changedPage !== true || later.some(asserts));
    if (setsField(step) && isProven) return false;
    // Secrets are not asserted automatically.
    if (referencesIn(step.args).length > 0) return false;
    // The test waits for it, so it notices if it is missing.
    if (expectsEvent(step) || expectsEvent(steps[index - 1]) || step.signals !== undefined) return false;
    const next = steps.slice(index + 1).find((each) => !isPassive(each));
    return next === undefined || !traitsOf(next).verifies;
  };
  return stepWarning(
    indexesOf(steps.slice(0, cleanUpStart(steps)), isBlind),
    (which) => `Nothing is asserted after ${which}: record an expect for what changed.`,
  );
}

/** The elements with brittle locators. These lines quote page content. */
export function brittleElements(steps: readonly Step[]): string[] {
  return steps
    .flatMap(({ seen }, index) =>
      seen === undefined ? [] : [`Step ${index} uses ${seen}: add a test id or a label to it.`],
    )
    .slice(0, named);
}

function setsField(step: Step): boolean {
  const { types, toggles } = traitsOf(step);
  return types === true || toggles === true;
}

function dependsOnFields(step: Step): boolean {
  return traitsOf(step).kind === 'mutates' && !setsField(step);
}

/** Whether a step neither changes nor verifies the page. */
function isPassive(step: Step): boolean {
  const { kind, needsNoAssertion, verifies } = traitsOf(step);
  return needsNoAssertion === true || (kind === 'passive' && verifies !== true);
}

function locatorWarnings(steps: readonly Step[]): string[] {
  const rests = (on: Brittleness) =>
    indexesOf(steps, ({ locator, to, assertions = [] }) =>
      [locator, to, ...assertions.map((each) => each.locator)].some(
        (chain) => chain !== undefined && brittleness(chain).has(on),
      ),
    );
  return [
    ...stepWarning(
      rests('position'),
      (which) => `Positional locator in ${which}: add a test id or a label to it.`,
    ),
    ...stepWarning(
      rests('generated name'),
      (which) => `Locator with a generated id or class in ${which}: add a test id or a label to it.`,
    ),
    ...stepWarning(
      rests('volatile text'),
      (which) => `Locator with a date, a time or an id in ${which}: add a test id or a label to it.`,
    ),
  ];
}

function secretWarnings(
  steps: readonly Step[],
  { extraHTTPHeaders = {}, httpCredentials }: Session['use'],
): string[] {
  const holds = (step: Step): boolean => {
    const { locator = [], args, assertions = [] } = step;
    const { value, headers = {} } = args;
    const typed = !traitsOf(step).asserts && typeof value === 'string' && value !== '';
    return (
      (typed && isSecretInput(value, locator)) ||
      hasSecretHeader(headers) ||
      stringsIn([args, ...assertions.map((each) => each.args)]).some(holdsSecret)
    );
  };
  const remedy =
    'write {{secret:NAME}} instead, NAME being an environment variable that `secrets` in the configuration lists.';
  return [
    ...stepWarning(
      indexesOf(steps, holds),
      (which) => `The test contains what looks like a secret, from ${which}: ${remedy}`,
    ),
    ...(hasSecretHeader(parseFields(extraHTTPHeaders))
      ? [`use.extraHTTPHeaders contains what looks like a secret: ${remedy}`]
      : []),
    ...(httpCredentials !== undefined && !seemsReference(httpCredentials.password)
      ? [`use.httpCredentials contains a password: ${remedy}`]
      : []),
  ];
}

/** Whether a header for secrets contains one literally. */
function hasSecretHeader(headers: Json): boolean {
  return Object.entries(headers ?? {}).some(
    ([name, value]) =>
      typeof value === 'string' &&
      (/^(?:authorization|cookie)$|api-?key|token|secret/i.test(name) || holdsSecret(value)),
  );
}

function originWarnings(steps: readonly Step[], { storageState }: Session['use']): string[] {
  const first = steps.findIndex((step) => traitsOf(step).opensUrl);
  const url = steps[first]?.args['url'];
  return [
    ...(storageState === undefined
      ? []
      : [
          `The test starts from the file of use.storageState: create it in a setup project or a fixture before each run.`,
        ]),
    ...(typeof url === 'string' && opensRecord(url)
      ? [
          `Step ${first} opens a record by its id, which must exist in every run: create it in the test or in a fixture.`,
        ]
      : []),
  ];
}

const recordId = /^(?:\d{3,}|[\da-f]{24}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/i;
const yearOrDate = /^(?:19|20)\d{2}(?:\d{2}){0,2}$/;
/** Words before a number that is not a record id. */
const countedWord = /^(?:pages?|p|steps?|status|errors?|offset|limit|v|version|year)$/i;

/** Whether a URL contains a record id, e.g. `/orders/12345` or `?orderId=12345`, also after `#`. */
function opensRecord(url: string): boolean {
  const [, path = '', query = '', hash = ''] =
    /^(?:[a-z]+:\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?(?:#!?([^]*))?$/i.exec(url) ?? [];
  const isId = (text: string): boolean => recordId.test(text) && !yearOrDate.test(text);
  const inPath = [path, hash.startsWith('/') ? hash : ''].some((each) => {
    const names = each.split(/[/?]/).filter((name) => name !== '');
    return names.some((name, index) => {
      const before = names[index - 1];
      return isId(name) && before !== undefined && !countedWord.test(before);
    });
  });
  const inQuery = [...new URLSearchParams(query)].some(
    ([name, value]) => /^id$|(?:Id|_id|-id)$/.test(name) && isId(value),
  );
  return inPath || inQuery;
}

function indexesOf(steps: readonly Step[], fits: (step: Step, index: number) => boolean): number[] {
  return steps.flatMap((step, index) => (fits(step, index) ? [index] : []));
}

/** One warning for all these steps (`steps 2, 5 and 7`), or none. */
export function stepWarning(indexes: readonly number[], say: (which: string) => string): string[] {
  const [only] = indexes;
  if (only === undefined) return [];
  if (indexes.length === 1) return [say(`step ${only}`)];
  const rest = indexes.length - named;
  const shown = indexes.slice(0, named).map(String);
  const last = rest > 0 ? `${rest} more` : shown.pop();
  return [say(`steps ${shown.join(', ')} and ${last ?? ''}`)];
}
