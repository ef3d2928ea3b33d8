import { stripVTControlCharacters } from 'node:util';
import type { Frame } from 'playwright';
import type { Live } from '../browser/live.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { within } from '../model/within.js';
import type { Refused } from '../network/proxy.js';

/** Milliseconds after its last page within which a browser that dies is known to be gone. */
const lossMs = 300;

/** Whether the browser process behind a session is gone. */
export async function isLost(live: Live): Promise<boolean> {
  if (live.pages.length === 0) await within(lossMs, live.gone);
  return live.lost();
}

/** Turns what Playwright threw into the contract's words: what happened, and what to do next; `frame` is that of the element. */
export async function explainFailure(
  error: unknown,
  action: string,
  live: Live,
  frame?: Frame,
): Promise<CodegenError> {
  if (await isLost(live)) return browserGone();
  if (error instanceof CodegenError) return error;
  // Before it is cut: half a secret is not found.
  const text = live.secrets.redact(
    stripVTControlCharacters(messageOf(error)).replaceAll(/ >> codegen-pin=\w+:\d+/g, ''),
  );
  const fail = (
    code: ConstructorParameters<typeof CodegenError>[0],
    message: string,
    hint: string,
  ): CodegenError => new CodegenError(code, message, { hint, cause: error });

  if (/Page crashed|Target crashed/.test(text))
    return fail(
      'BROWSER_FAILED',
      'The page crashed.',
      'End the session to keep what is recorded, or start a new one.',
    );
  if (/has been closed/.test(text))
    return fail('ACTION_FAILED', `The page closed during ${action}.`, waysOn(live));
  if (frame?.isDetached() === true)
    return fail(
      'ACTION_FAILED',
      `The frame closed during ${action}.`,
      'Look at the snapshot for what is there now.',
    );
  if (text.includes('strict mode violation')) {
    const count = /resolved to (\d+) elements/.exec(text)?.[1] ?? 'several';
    return fail(
      'TARGET_AMBIGUOUS',
      `The target matches ${count} elements.`,
      'Use a ref, or narrow the locator.',
    );
  }
  if (
    /Unexpected token|Unknown engine|while parsing (?:css )?selector|is not a valid (?:XPath|selector)/i.test(
      text,
    )
  )
    return fail(
      'INVALID_INPUT',
      firstLine(text),
      'Give a ref, a locator expression, or a Playwright selector.',
    );
  const blocked = live.takeBlockedPage();
  if (blocked !== undefined) return pageBlocked(blocked);
  if (/net::ERR_|NS_ERROR_|apiRequestContext\./.test(text)) {
    // What the browser says of its proxy, the proxy knows better.
    const failure = live.failure(/\bhttps?:\/\/[^\s"']+/.exec(text)?.[0] ?? '');
    if (failure !== undefined && 'refused' in failure) return pageBlocked(failure.refused);
    const reason = failure?.error ?? /(?:net::ERR|NS_ERROR)_\w+/.exec(text)?.[0] ?? '';
    return fail(
      'ACTION_FAILED',
      `The page could not be opened: ${reason}.`,
      'Check that the address is right and its server runs.',
    );
  }
  if (text.includes('expect('))
    return fail(
      'ACTION_FAILED',
      expectation(text),
      'Assert what the snapshot shows, or wait for it with waitFor.',
    );
  if (/Timeout \d+ms exceeded/.test(text)) {
    if (
      !/locator resolved to/.test(text) &&
      /waiting for (?:getBy|locator|codegen-pin|frameLocator)/.test(text)
    )
      return fail(
        'TARGET_NOT_FOUND',
        'No element matched the target in time.',
        'Look at the snapshot for what is there.',
      );
    return fail(
      'ACTION_FAILED',
      `${action} timed out: ${lastReason(text)}`,
      'Look at the snapshot for what stands in the way.',
    );
  }
  return fail('ACTION_FAILED', firstLine(text), 'Look at the snapshot and try another way.');
}

/** What every call on a session is told whose browser has died. */
export function browserGone(): CodegenError {
  return new CodegenError('BROWSER_FAILED', 'The browser behind this session is gone; its steps are kept.', {
    hint: 'start_codegen_session goes on from them in a fresh page, with the sessionId as `resume`; end_codegen_session writes them as they are.',
  });
}

/** What to do where the page is closed. */
export function waysOn({ pages }: Live): string {
  const others = pages.map(({ id }) => id).join(', ');
  return others === ''
    ? 'Open one with newPage, or end the session to keep what is recorded.'
    : `Go on in another one with switchPage: ${others}.`;
}

/** A page that was not opened, since the rules forbid it. */
export function pageBlocked({ origin, rule }: Refused): CodegenError {
  return new CodegenError('NAVIGATION_BLOCKED', `${origin} is blocked: ${rule}.`, {
    hint: 'Whoever runs this server decides that. Go on without it: `goBack` with "record": false leaves a page that did not open.',
  });
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? text).replace(/^\w+\.\w+: /, '').slice(0, 300);
}

/** The verdict of an assertion without its call log: `expect(locator).toHaveText(expected) failed; Expected: …`. */
function expectation(text: string): string {
  const [verdict = text] = text.split('\nCall log:');
  const lines = verdict.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !/^(?:Locator|Timeout):/.test(line))
    .join('; ')
    .slice(0, 600);
}

/** Why an action could not be done, as Playwright's call log has it. */
function lastReason(text: string): string {
  const log = text.split('\n').map((line) => line.replace(/^[\s-]+/, ''));
  const telling =
    /element is not|element was detached|intercepts pointer events|outside of the viewport|did not find/;
  return (log.findLast((line) => telling.test(line)) ?? log.at(-1) ?? text).slice(0, 300);
}
