import type { Decision } from './policy.js';

/** The codes a failed call can carry, and what each means. */
export const errorMeanings = {
  INVALID_INPUT: 'An argument is unknown, missing or of the wrong form; the hint lists what is expected.',
  SESSION_NOT_FOUND: 'There is no such session, or it has ended.',
  SESSION_LIMIT: 'As many sessions are open as the configuration allows, or too many calls wait.',
  ACTION_FAILED:
    'The page did not let the action happen, or an assertion is false; what landed before it is kept.',
  TARGET_NOT_FOUND: 'No element matches the target; the hint names the nearest.',
  TARGET_AMBIGUOUS: 'Several elements match the target; the hint names them.',
  NAVIGATION_BLOCKED:
    'The address is not one of a page (http, https), or the configured rules of the network refuse it.',
  POLICY_DENIED: 'The policy does not allow this call; trying again does not help.',
  RATE_LIMITED: 'A limit is used up; `retryAfterMs` says when the same call can succeed.',
  APPROVAL_REQUIRED: 'A person has to approve this call first.',
  PATH_NOT_ALLOWED: 'The path leads where calls may not write or read.',
  FILE_EXISTS: 'A file is in the way that may not be replaced.',
  FILE_CHANGED: 'A generated file is in the way that someone has edited since.',
  FILE_TOO_LARGE: 'The file would be larger than the configuration allows.',
  QUOTA_EXCEEDED: 'A session would write more than the configuration allows.',
  VERIFY_FAILED: 'The test did not pass when it was run.',
  LOCK_TIMEOUT: 'The state directory was busy for too long.',
  WRITE_FAILED: 'The disk refused; it is as it was.',
  BROWSER_FAILED: 'The browser is missing, did not start, or is gone; what was recorded is kept.',
  CONFIG_INVALID: 'The configuration, policy or a template is not valid.',
} as const;

export type ErrorCode = keyof typeof errorMeanings;

/** The one error type of this project: `message` says what happened, `hint` what to do next. */
export class CodegenError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Milliseconds after which the same call can succeed. */
  readonly retryAfterMs: number | undefined;
  /** Set where the guard refused, and says which rule did. */
  readonly decision: Decision | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; retryAfterMs?: number; decision?: Decision; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'CodegenError';
    this.code = code;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
    this.decision = options.decision;
  }
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
