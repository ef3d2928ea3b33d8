/** What answers the requests of one MCP session, or those of one grant that need none. */
export interface McpEndpoint {
  /** `body` is the parsed body, undefined if it is not JSON. */
  handle(request: Request, body: unknown): Promise<Response>;
  /** Whether a session has begun. */
  isOpen(): boolean;
  close(): Promise<void>;
}
