import type { Frame, Locator } from 'playwright';
import { answeringFrames } from '../browser/frames.js';
import type { Live } from '../browser/live.js';
import {
  lookAtSelection,
  lookAtTyped,
  markPieces,
  markTyped,
  mayPasteSecret,
  noteTexts,
  showsSecret,
} from '../browser/typed-secrets.js';
import { toLocator } from '../locators/locator-expression.js';
import { CodegenError } from '../model/errors.js';
import type { LocatorChain } from '../model/locator.js';
import { isTemplate, referencesIn } from '../model/template.js';
import { isPicture } from '../actions/expect.js';
import { traitsOf } from '../actions/registry.js';
import type { Step } from '../model/step.js';
import { stringsIn } from '../model/text.js';
import { within } from '../model/within.js';
import type { Located } from './targets.js';

/** Milliseconds for a title. */
const lookMs = 2000;

/** Keys that change no text, and select none. */
const harmlessKeys = /^(?:Shift\+)?(?:Enter|NumpadEnter|Tab|Escape|F\d+|PageUp|PageDown)$/;

/** Assertions that say nothing of a text. */
const textless = new Set(
  'toBeAttached toBeDisabled toBeEditable toBeEnabled toBeFocused toBeHidden toBeInViewport toBeVisible toHaveCount toHaveId toHaveRole'.split(
    ' ',
  ),
);
const exact = new Set(['toHaveText', 'toHaveValue', 'toHaveTitle', 'toHaveURL']);

/**
 * Call before a step is performed. Marks the element that it types a secret into. Throws INVALID_INPUT if the step could
 * show a part of a secret that was typed before: by editing or selecting it, or by an assertion that is not exact.
 */
export async function guardTyped(live: Live, step: Step, { chain, pin }: Located): Promise<void> {
  const { page } = live.current;
  const { asserts, types, pressesKey } = traitsOf(step);
  if (types && pin !== undefined && referencesIn(step.args).length > 0) {
    await markTyped(pin);
    await noteTexts(page);
  }
  const target = chain && toLocator(page, chain);
  if (asserts && isPicture(step.args)) {
    const masks = (step.mask ?? []).filter((each) => !entersFrame(each)).map((each) => toLocator(page, each));
    if (await showsSecret(page, chain && entersFrame(chain) ? undefined : target, masks))
      throw new CodegenError('INVALID_INPUT', 'The screenshot would show a secret.', {
        hint: 'Hide its element with `mask`, or take the screenshot of another element.',
      });
    return;
  }
  if (asserts ? isExact(step) : isWhole(step) && !(isMiddle(step) && mayPasteSecret(page))) return;
  const root = asserts && step.args['matcher'] === 'toMatchAriaSnapshot' ? page.locator('html') : undefined;
  const focused = pressesKey
    ? answeringFrames(page).map((frame): [Locator, Frame] => [frame.locator(':focus'), frame])
    : [];
  const isShown = asserts ? target === undefined && (await isInAddress(live)) : await isSelected(live, step);
  for (const [locator, frame] of [[target ?? root, undefined] as const, ...focused])
    if (isShown || (locator !== undefined && (await hasSecret(live, locator, frame))))
      throw new CodegenError('INVALID_INPUT', `${step.action} could show a part of a secret.`, {
        hint: asserts
          ? 'Assert text with a secret exactly, with {{secret:NAME}} in toHaveValue or toHaveText, or assert another element.'
          : 'The element, or what is selected, contains a secret: use only fill and clear to change it, and press only Enter, Tab and Escape in it. Click elsewhere to select nothing; a middle click pastes.',
      });
}

/** Call when the effects of a step have settled. Marks the elements that show a piece of the secret that it typed. */
export async function markEffects({ current: { page }, secrets }: Live, step: Step): Promise<void> {
  const { types } = traitsOf(step);
  if (types !== true || referencesIn(step.args).length === 0) return;
  await markPieces(page, stringsIn(secrets.reveal(step.args)));
}

function entersFrame(chain: LocatorChain): boolean {
  return chain.some(({ method }) => method === 'contentFrame' || method === 'frameLocator');
}

function isExact({ args: { matcher, expected, not } }: Step): boolean {
  if (typeof matcher !== 'string' || matcher === 'toPassAxe') return true;
  return textless.has(matcher) || (exact.has(matcher) && isTemplate(expected) && not !== true);
}

/** Whether an action leaves a text as it is, or replaces it as a whole. */
function isWhole(step: Step): boolean {
  const { pressesKey, drags } = traitsOf(step);
  const { key } = step.args;
  if (drags) return false;
  if (pressesKey) return typeof key === 'string' && harmlessKeys.test(key);
  if (step.action === 'pressSequentially') return isTemplate(step.args['value']);
  return step.to === undefined;
}

function isMiddle({ args }: Step): boolean {
  return args['button'] === 'middle';
}

/** Whether a step could copy, drag or paste selected text with a secret. */
async function isSelected({ current: { page }, secrets }: Live, step: Step): Promise<boolean> {
  if (isMiddle(step)) return mayPasteSecret(page);
  const { pressesKey, drags } = traitsOf(step);
  if (!pressesKey && !drags) return false;
  const looks = await lookAtSelection(page);
  return looks.some(({ isMarked, texts }) => isMarked || secrets.foundIn(texts).length > 0);
}

/** Whether the title or the URL of the current page contains a secret. */
async function isInAddress({ current: { page }, secrets }: Live): Promise<boolean> {
  const title = (await within(lookMs, page.title())) ?? '';
  return secrets.foundIn([title, page.url()]).length > 0;
}

async function hasSecret({ secrets }: Live, locator: Locator, frame?: Frame): Promise<boolean> {
  const found = await lookAtTyped(locator, frame);
  return found !== undefined && (found.isMarked || secrets.foundIn(found.texts).length > 0);
}
