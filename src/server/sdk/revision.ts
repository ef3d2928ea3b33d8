import { z } from 'zod';

/** The first revision without `initialize` and MCP sessions. */
const firstStateless = '2026-07-28';

/** In stateless revisions, each request names its revision. */
const claimSchema = z.object({
  params: z.object({ _meta: z.object({ 'io.modelcontextprotocol/protocolVersion': z.unknown() }) }),
});

/** Whether a message, or one in a batch, is of a stateless revision. */
export function isStateless(message: unknown): boolean {
  return [message].flat().some((each) => {
    const meta = claimSchema.safeParse(each).data?.params._meta;
    return meta !== undefined && 'io.modelcontextprotocol/protocolVersion' in meta;
  });
}

export function isStatelessRequest({ headers }: Request, body: unknown): boolean {
  const version = headers.get('mcp-protocol-version') ?? '';
  return isStateless(body) || (/^\d{4}-\d\d-\d\d$/.test(version) && version >= firstStateless);
}
