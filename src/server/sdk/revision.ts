import { z } from 'zod';

/** The first revision without `initialize` and MCP sessions; later ones are like it. */
const firstStateless = '2026-07-28';

/** In these revisions, each request names its revision. */
const claimSchema = z.object({
  params: z.object({ _meta: z.object({ 'io.modelcontextprotocol/protocolVersion': z.unknown() }) }),
});

/** Whether a message, or one of a batch, is of a stateless revision. */
export function isStateless(message: unknown): boolean {
  return [message].flat().some((each) => {
    const meta = claimSchema.safeParse(each).data?.params._meta;
    return meta !== undefined && 'io.modelcontextprotocol/protocolVersion' in meta;
  });
}

/** Whether an HTTP request is of a stateless revision, by its body or its header. */
export function isStatelessRequest({ headers }: Request, body: unknown): boolean {
  const version = headers.get('mcp-protocol-version') ?? '';
  return isStateless(body) || (/^\d{4}-\d\d-\d\d$/.test(version) && version >= firstStateless);
}
