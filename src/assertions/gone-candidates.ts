import type { Page } from 'playwright';
import { partsOf } from '../browser/snapshot.js';
import { toLocator } from '../locators/locator-expression.js';
import type { LocatorChain } from '../model/locator.js';
import type { Assertion } from '../model/step.js';
import { within } from '../model/within.js';
import { daysIn } from './calendar.js';
import type { Candidate } from './candidates.js';
import type { PageDiff } from './changes.js';
import { requiresPresence } from './check.js';
import { weights } from './choose.js';
import { matchesLine } from './line-matching.js';
import { snapshotMs, type StepEffect } from './observe.js';

/** Roles of elements that go away when they have done their work. */
const controls = new Set(
  'button link checkbox radio switch textbox searchbox combobox spinbutton option menuitem tab'.split(' '),
);

/** The locator of the element acted on if it disappeared, unless it was a day that a date picker offered. */
export function goneTarget({ acted, outcome, before }: StepEffect): LocatorChain | undefined {
  const chain = outcome === undefined ? acted?.chain : undefined;
  const isDay = chain !== undefined && daysIn(before.view).some((line) => matchesLine(chain, line));
  return isDay ? undefined : chain;
}

/** Elements that disappeared, which is perhaps all that a step did: the one acted on, and those that were asserted earlier. */
export async function goneCandidates(
  acted: LocatorChain | undefined,
  { gone, isAll }: Pick<PageDiff, 'gone'> & { isAll: boolean },
  earlier: readonly Assertion[],
  page: Page,
): Promise<Candidate[]> {
  if (gone.length === 0) return [];
  const weight = isAll ? weights.gone.only : weights.gone.asserted;
  const asserted = earlier.flatMap(({ locator, args }) =>
    locator !== undefined && requiresPresence(args) ? [{ chain: locator, text: args['expected'] }] : [],
  );
  const disappeared = [
    ...asserted.flatMap(({ chain, text }) => {
      // Of what a selector finds, a snapshot shows only the text or name.
      const isBySelector = chain.at(-1)?.method === 'locator';
      const texts = [text].flat().filter((each) => each !== '');
      const line = gone.find((each) =>
        isBySelector ? texts.includes(partsOf(each).text ?? partsOf(each).name) : matchesLine(chain, each),
      );
      if (line === undefined) return [];
      const { role = '' } = partsOf(line);
      const ofContent = controls.has(role) ? 0 : weights.gone.ofContent;
      return [{ chain, weight: weights.gone.roles.get(role) ?? weight + ofContent }];
    }),
    ...(acted === undefined ? [] : [{ chain: acted, weight: weights.gone.acted }]),
  ];
  const candidates = disappeared.map(async ({ chain, weight }): Promise<Candidate[]> => {
    const isVisible = await within(snapshotMs, toLocator(page, chain).first().isVisible());
    return isVisible === false
      ? [{ weight, kind: 'gone', subject: { chain }, forms: [{ matcher: 'toBeHidden' }] }]
      : [];
  });
  return (await Promise.all(candidates)).flat();
}
