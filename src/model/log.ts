import { escapeInvisible } from './text.js';

/** Writes a message to stderr, since stdout carries only MCP messages. */
export function log(message: string): void {
  // A text of a page can't look like a line of the server, and has no control sequences.
  process.stderr.write(`codegen-session-mcp: ${escapeInvisible(message).replaceAll('\n', '\n  ')}\n`);
}

export function logStack(error: unknown): void {
  log(error instanceof Error ? String(error.stack) : String(error));
}
