import type { ServerResponse } from 'node:http';

/** Why a request is not served, as a client is told. */
export interface Refusal {
  status: number;
  message: string;
  /** JSON-RPC's code of the error; -32000 where this is not set, as the SDK has it. */
  code?: number;
  headers?: Record<string, string>;
}

/** Answers with an error of JSON-RPC that belongs to no request in particular. */
export function refuse(response: ServerResponse, { status, message, code = -32000, headers }: Refusal): void {
  answer(response, status, { jsonrpc: '2.0', error: { code, message }, id: null }, headers);
}

export function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(JSON.stringify(body));
}
