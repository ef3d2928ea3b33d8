/** Writes a message to stderr, since stdout carries only MCP messages. */
export function log(message: string): void {
  process.stderr.write(`codegen-session-mcp: ${message}\n`);
}

export function logStack(error: unknown): void {
  log(error instanceof Error ? String(error.stack) : String(error));
}
