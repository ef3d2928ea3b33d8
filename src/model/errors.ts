/** The codes a failed call can carry, as the public contract names them. */
export const errorCodes = [
  'INVALID_INPUT',
  'SESSION_NOT_FOUND',
  'SESSION_LIMIT',
  'ACTION_FAILED',
  'TARGET_NOT_FOUND',
  'TARGET_AMBIGUOUS',
  'NAVIGATION_BLOCKED',
  'POLICY_DENIED',
  'RATE_LIMITED',
  'APPROVAL_REQUIRED',
  'PATH_NOT_ALLOWED',
  'FILE_EXISTS',
  'FILE_CHANGED',
  'FILE_TOO_LARGE',
  'QUOTA_EXCEEDED',
  'VERIFY_FAILED',
  'LOCK_TIMEOUT',
  'WRITE_FAILED',
  'BROWSER_FAILED',
  'CONFIG_INVALID',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** The one error type of this project: `message` says what happened, `hint` what to do next. */
export class CodegenError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Milliseconds after which the same call can succeed. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'CodegenError';
    this.code = code;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
