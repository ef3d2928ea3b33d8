interface RefusalOptions {
  /** Error code of JSON-RPC; -32000 by default, as in the SDK. */
  code?: number;
  headers?: Record<string, string>;
}

/** A response with a JSON-RPC error without a request id. */
export function refusal(
  status: number,
  message: string,
  { code = -32000, headers = {} }: RefusalOptions = {},
): Response {
  return Response.json(
    { jsonrpc: '2.0', error: { code, message }, id: null },
    { status, headers: { 'Cache-Control': 'no-store', ...headers } },
  );
}
