import { z } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import { logStack } from '../model/log.js';
import type { Failure } from './shapes.js';

/** Characters of the problems of a request, which may repeat all of it. */
const maxMessage = 1000;

type Status = 400 | 401 | 403 | 404 | 429 | 500;

/** Why a request is refused, with its HTTP status. */
export class Refusal extends Error {
  constructor(
    readonly status: Status,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** What people see of an error. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CodegenError) return { code: error.code, message: error.message, hint: error.hint };
  if (error instanceof Refusal) return { code: 'REFUSED', message: error.message, hint: error.hint };
  if (error instanceof z.ZodError || error instanceof SyntaxError)
    return {
      code: 'INVALID_INPUT',
      message: messageOf(error).slice(0, maxMessage),
      hint: 'Reload the page.',
    };
  const hint = "This is a bug in codegen-session-mcp; the server's stderr has the details.";
  return { code: 'INTERNAL', message: 'Unexpected internal error.', hint };
}

export function failureResponse(error: unknown): Response {
  const failure = failureOf(error);
  if (failure.code === 'INTERNAL') logStack(error);
  const status = error instanceof Refusal ? error.status : failure.code === 'INTERNAL' ? 500 : 400;
  return Response.json({ error: failure }, { status, headers: { 'Cache-Control': 'no-store' } });
}
