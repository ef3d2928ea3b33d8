/** Handles the requests of one MCP session, or the stateless requests of one grant. */
export interface McpEndpoint {
  /** `body` is the parsed body, undefined if it is not JSON. */
  handle(request: Request, body: unknown): Promise<Response>;
  /** Whether a session has begun. */
  isOpen(): boolean;
  close(): Promise<void>;
}
