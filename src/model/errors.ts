import { PageText, rawText } from './page-text.js';
import type { Decision } from './policy.js';

export const errorMeanings = {
  INVALID_INPUT: 'An argument is unknown, missing or invalid.',
  SESSION_NOT_FOUND: 'The session does not exist or has ended.',
  SESSION_LIMIT: 'The maximum number of sessions is open, or too many calls are waiting.',
  ACTION_FAILED: 'The action could not be performed, or an assertion is false. Earlier steps are kept.',
  TARGET_NOT_FOUND: 'No element matches the target; the hint names similar ones.',
  TARGET_AMBIGUOUS: 'Several elements match the target; the hint names them.',
  NAVIGATION_FAILED: 'An action led to a page that could not be loaded.',
  NAVIGATION_BLOCKED: 'The URL is not http or https, or the network rules block it.',
  POLICY_DENIED: 'The policy does not allow the call. Retrying does not help.',
  RATE_LIMITED: 'A limit is exhausted; `retryAfterMs` says when the same call can succeed.',
  APPROVAL_REQUIRED: 'A person must approve the call first.',
  PATH_NOT_ALLOWED: 'Calls may not read or write this path.',
  FILE_EXISTS: 'The file already exists and may not be replaced.',
  FILE_CHANGED: 'The file was generated and then edited, so it may not be replaced.',
  FILE_TOO_LARGE: 'The file would be larger than the configuration allows.',
  QUOTA_EXCEEDED: 'The write would exceed a quota of the configuration.',
  VERIFY_FAILED: 'The test failed when it was run.',
  LOCK_TIMEOUT: 'The state was busy for too long.',
  WRITE_FAILED: 'The write failed; nothing was changed on disk.',
  BROWSER_FAILED: 'The browser is missing, did not start, or exited. Recorded steps are kept.',
  CONFIG_INVALID: 'The configuration, the policy or a template is invalid.',
} as const;

export type ErrorCode = keyof typeof errorMeanings;

/** Codes whose messages usually quote a page. */
const pageCodes: ReadonlySet<ErrorCode> = new Set([
  'ACTION_FAILED',
  'TARGET_NOT_FOUND',
  'TARGET_AMBIGUOUS',
  'NAVIGATION_BLOCKED',
  'VERIFY_FAILED',
]);

/** The one error type of this project: `message` says what happened, `hint` what to do next. */
export class CodegenError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Message and hint for results. The message counts as text from a page if its code is about pages, or if it has a cause. */
  readonly said: { message: string | PageText; hint?: string | PageText };
  /** Milliseconds after which the same call can succeed. */
  readonly retryAfterMs: number | undefined;
  /** The guard's decision, if it rejected the call. */
  readonly decision: Decision | undefined;

  constructor(
    code: ErrorCode,
    message: string | PageText,
    options: { hint?: string | PageText; retryAfterMs?: number; decision?: Decision; cause?: unknown } = {},
  ) {
    const { hint, cause } = options;
    super(rawText(message), { cause });
    this.name = 'CodegenError';
    this.code = code;
    this.hint = hint === undefined ? undefined : rawText(hint);
    const isForeign = cause !== undefined || pageCodes.has(code);
    this.said = {
      message: isForeign && typeof message === 'string' ? new PageText(message) : message,
      ...(hint === undefined ? {} : { hint }),
    };
    this.retryAfterMs = options.retryAfterMs;
    this.decision = options.decision;
  }
}

/** A warning about input that is left out and does not stop the call. */
export function warningOf(code: ErrorCode, message: string, hint: string): string {
  return `${code}: ${message} ${hint}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
