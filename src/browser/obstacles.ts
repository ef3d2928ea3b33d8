import type { Locator } from 'playwright';
import { z } from 'zod';
import { within } from '../model/within.js';
import { callIsolated, type InPage } from './isolated.js';

/** Why the first element of a locator may not react to an action; empty if unknown or after the time-out. */
export async function obstaclesOf(locator: Locator, limitMs: number): Promise<string[]> {
  const call = { arg: 80, schema: z.array(z.string()), limitMs };
  return (await within(limitMs, callIsolated(locator, findObstacles, call))) ?? [];
}

/** Runs in the page. */
function findObstacles({ elements: [element] }: InPage, maxTag: number): string[] {
  if (element === undefined) return [];
  const reasons: string[] = [];
  // Bootstrap: `li.disabled > a`.
  const own = [element, element.parentElement].filter((each) => each !== null);
  const name = own
    .flatMap((each) => Array.from(each.classList))
    .find((each) => /(?:^|[-_])(?:disabled|inactive|loading|busy)(?:$|[-_])/i.test(each));
  if (element.closest('[aria-disabled="true"]') !== null) reasons.push('it is disabled by aria-disabled');
  else if (element.closest('[inert]') !== null) reasons.push('it is inert');
  else if (name !== undefined)
    reasons.push(`it is disabled by class ${JSON.stringify(name.slice(0, maxTag))}`);
  if (getComputedStyle(element).pointerEvents === 'none') reasons.push('it has `pointer-events: none`');
  const { left, top, width, height } = element.getBoundingClientRect();
  const root = element.getRootNode();
  const scope = root instanceof ShadowRoot ? root : document;
  const hit = width * height > 0 ? scope.elementFromPoint(left + width / 2, top + height / 2) : null;
  if (hit !== null && !element.contains(hit) && !hit.contains(element)) {
    const tag = hit.cloneNode();
    reasons.push(`${tag instanceof Element ? tag.outerHTML.slice(0, maxTag) : hit.localName} covers it`);
  }
  return reasons;
}
