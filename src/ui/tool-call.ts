import { z } from 'zod';
import { PageText, rawText } from '../model/page-text.js';
import type { Answer } from '../tools/answer.js';
import type { Tool, ToolContext } from '../tools/tool.js';
import type { PageOptions } from './options.js';

/**
 * Calls a tool on behalf of a person. The policy is for agents and does not apply, but the limits on writing do. `note`
 * adds to the line of the audit log.
 */
export function toolCall(
  { run }: PageOptions,
  context: ToolContext,
  { tool, args }: { tool: Tool; args: object },
  note: (more: object) => void,
): Promise<Answer> {
  return run(new AbortController().signal, async (signal) => {
    const answer = await tool.handle(context, args, {
      signal,
      progress: () => undefined,
      begin: () => undefined,
      admit: (call) => context.guard.admit(call),
      noteFiles: (written) => {
        note({ files: written.map(({ path, change, sha256 }) => ({ path, change, sha256 })) });
      },
    });
    if (answer.error !== undefined) note({ error: answer.error.code });
    return answer;
  });
}

/** The warnings of an answer, as text. */
export const warningsSchema = z
  .array(z.unknown())
  .default([])
  .transform((list) => list.map((each) => (each instanceof PageText ? rawText(each) : String(each))));
