import { stripVTControlCharacters } from 'node:util';
import type { Frame, Page } from 'playwright';
import type { Live } from '../browser/live.js';
import { responds } from '../browser/settle.js';
import { CodegenError, messageOf, type ErrorCode } from '../model/errors.js';
import { pageSilent, within } from '../model/within.js';
import type { Refused } from '../network/proxy.js';

/** Milliseconds between the closing of the last page and the report that the browser exited. */
const lossMs = 300;
/** Time-out for a page to respond after another time-out. */
const answerMs = 500;

/** Maximum length of a message, which may quote arguments and the page. */
const maxMessage = 800;

/** Whether the browser of a session has exited. */
export async function isLost(live: Live): Promise<boolean> {
  if (live.pages.length === 0) await within(lossMs, live.gone);
  return live.lost();
}

/** An error of Playwright, and the action, browser and frame in which it happened. */
interface Failed {
  text: string;
  action: string;
  live: Live;
  frame: Frame | undefined;
}

type Explanation = [code: ErrorCode, message: string, hint: string];

const anyText = /^/;
/** Playwright's log of an action that waits for the effect of its click. */
const clicked = /click action done/;
const timedOut = /Timeout \d+ms exceeded/;

/** Playwright's messages and their explanations; the first row that matches and explains applies. */
const explanations: readonly [
  text: RegExp,
  explain: (failed: Failed) => Explanation | CodegenError | undefined,
][] = [
  [
    /Page crashed|Target crashed/,
    () => [
      'BROWSER_FAILED',
      'The page crashed.',
      'End the session to keep the recorded steps, or start a new one.',
    ],
  ],
  [
    /has been closed/,
    ({ action, live }) => ['ACTION_FAILED', `The page closed during ${action}.`, recoveryHint(live)],
  ],
  [
    anyText,
    ({ frame, action }) =>
      frame?.isDetached() === true
        ? [
            'ACTION_FAILED',
            `The frame closed during ${action}.`,
            'Look at the snapshot for what the page shows now.',
          ]
        : undefined,
  ],
  [
    /strict mode violation/,
    ({ text }) => [
      'TARGET_AMBIGUOUS',
      `The target matches ${/resolved to (\d+) elements/.exec(text)?.[1] ?? 'several'} elements.`,
      'Use a ref, or narrow the locator.',
    ],
  ],
  [
    /Unexpected token|Unknown engine|while parsing (?:css )?selector|is not a valid (?:XPath|selector)/i,
    ({ text }) => [
      'INVALID_INPUT',
      firstLine(text),
      'Use a ref, a locator expression, or a Playwright selector.',
    ],
  ],
  [
    anyText,
    ({ live }) => {
      const blocked = live.takeBlockedPage();
      return blocked && pageBlocked(blocked);
    },
  ],
  [/net::ERR_|NS_ERROR_|apiRequestContext\./, explainNetwork],
  [
    /expect\(/,
    ({ text }) => [
      'ACTION_FAILED',
      expectation(text),
      'Assert what the snapshot shows, or wait with waitFor.',
    ],
  ],
  [
    timedOut,
    ({ text }) =>
      !text.includes('locator resolved to') &&
      /waiting for (?:getBy|locator|codegen-pin|frameLocator)/.test(text)
        ? [
            'TARGET_NOT_FOUND',
            'No element matched the target in time.',
            'Look at the snapshot for what the page shows.',
          ]
        : undefined,
  ],
  [
    timedOut,
    ({ action, text }) =>
      clicked.test(text) && action !== 'click'
        ? [
            'ACTION_FAILED',
            `${action} clicked the element, but its state did not change in time. The element may have been removed.`,
            'The page has changed, but the step was not recorded. Reload the page, and record click instead.',
          ]
        : [
            'ACTION_FAILED',
            `${action} timed out: ${lastReason(text)}`,
            'Look at the snapshot for what blocks the action.',
          ],
  ],
];

async function isSilent(page: Page): Promise<boolean> {
  return !page.isClosed() && !(await responds(page, answerMs));
}

/** Explains what Playwright threw: what happened, and what to do next. `frame` is the one of the element. */
export async function explainFailure(
  error: unknown,
  action: string,
  live: Live,
  frame?: Frame,
): Promise<CodegenError> {
  if (await isLost(live)) return browserGone();
  if (error instanceof CodegenError) {
    const message = live.secrets.redact(error.message);
    if (message.length <= maxMessage && message === error.message) return error;
    const { code, hint, retryAfterMs, decision, cause } = error;
    return new CodegenError(code, message.slice(0, maxMessage), {
      ...(hint === undefined ? {} : { hint }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(decision === undefined ? {} : { decision }),
      cause,
    });
  }
  // Redacted before it is cut: half a secret would not be found.
  const text = live.secrets.redact(
    stripVTControlCharacters(messageOf(error)).replaceAll(/ >> codegen-pin=\w+:\d+/g, ''),
  );
  // While a navigation is pending, no page answers.
  const isNavigation = /^page\.(?:goto|reload|go\w+):/.test(text);
  if (timedOut.test(text) && !isNavigation && (await isSilent(live.current.page))) return pageSilent();
  for (const [pattern, explain] of explanations) {
    const found = pattern.test(text) ? explain({ text, action, live, frame }) : undefined;
    if (found instanceof CodegenError) return found;
    if (found === undefined) continue;
    const [code, message, hint] = found;
    return new CodegenError(code, message, { hint, cause: error });
  }
  return new CodegenError('ACTION_FAILED', firstLine(text), {
    hint: 'Look at the snapshot and try another action or target.',
    cause: error,
  });
}

/** Prefers the proxy's reason, since the browser only reports a proxy error. */
function explainNetwork({ text, live, action }: Failed): Explanation | CodegenError {
  const failure = live.failure(/\bhttps?:\/\/[^\s"']+/.exec(text)?.[0] ?? '');
  if (failure !== undefined && 'refused' in failure) return pageBlocked(failure.refused);
  const reason = failure?.error ?? /(?:net::ERR|NS_ERROR)_\w+/.exec(text)?.[0] ?? firstLine(text);
  return [
    'ACTION_FAILED',
    `${action === 'request' ? 'The request failed' : 'The page could not be opened'}: ${reason.replace(/\.$/, '')}.`,
    'Check the address, and that its server runs.',
  ];
}

/** The error of every call on a session whose browser exited. */
export function browserGone(): CodegenError {
  return new CodegenError(
    'BROWSER_FAILED',
    'The browser of this session exited. The recorded steps are preserved.',
    {
      hint: 'start_codegen_session with the sessionId as `resume` continues from them in a new page; end_codegen_session writes them as they are.',
    },
  );
}

/** What to do if the current page is closed. */
export function recoveryHint({ pages }: Live): string {
  const others = pages.map(({ id }) => id).join(', ');
  return others === ''
    ? 'Open a page with newPage, or end the session to keep the recorded steps.'
    : `Continue in another page with switchPage: ${others}.`;
}

/** Throws if a page shows a browser error: a test of that would pass whatever the application does. */
export function requireLoaded(page: Page, action: string): void {
  if (!page.url().startsWith('chrome-error:')) return;
  throw new CodegenError('NAVIGATION_FAILED', `The page that ${action} navigated to could not be loaded.`, {
    hint: 'Check that its server runs. To record the rest of the flow, perform this action with "record": false.',
  });
}

export function pageBlocked({ origin, rule }: Refused): CodegenError {
  return new CodegenError('NAVIGATION_BLOCKED', `${origin} is blocked: ${rule}.`, {
    hint: 'The configuration sets the rule. Continue without the page: `goBack` with "record": false leaves a page that did not open.',
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

/** Why an action could not be performed, from Playwright's call log. */
function lastReason(text: string): string {
  const log = text.split('\n').map((line) => line.replace(/^[\s-]+/, ''));
  const reason =
    /element is not|element was detached|intercepts pointer events|outside of the viewport|did not find/;
  const found = log.findLast((line) => reason.test(line)) ?? log.findLast((line) => line !== '') ?? text;
  return found.slice(0, 300);
}
