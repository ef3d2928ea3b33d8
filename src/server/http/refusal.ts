interface RefusalOptions {
  /** Error code of JSON-RPC; by default -32000, as in the SDK. */
  code?: number;
  headers?: Record<string, string>;
}

/** A response with a JSON-RPC error that belongs to no request. */
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
