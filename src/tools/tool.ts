import type { z } from 'zod';
import type { BrowserPool } from '../browser/launch.js';
import type { RunningCalls } from '../server/calls.js';
import type { PageState } from '../browser/page-state.js';
import type { Config } from '../config/schema.js';
import type { Confirm } from '../guard/admission.js';
import type { Guard } from '../guard/guard.js';
import type { CodegenError } from '../model/errors.js';
import { invalidInput } from '../model/invalid.js';
import type { Secrets } from '../model/secrets.js';
import type { GrantSessions } from '../session/grant-sessions.js';

/** What a tool has at hand: one for each MCP connection. */
export interface ToolContext {
  workspace: string;
  /** Absolute path of the state directory. */
  stateDirectory: string;
  /** The configuration as it was at the last refresh. */
  config: () => Config;
  /** Reads the configuration again where it has changed. */
  refresh: () => Promise<void>;
  /** What is wrong with the configuration's files, so that the last good ones are in force. */
  problem: () => string | undefined;
  /** Has changes of the configuration's files told. */
  watch: (listener: () => Promise<void>) => void;
  guard: Guard;
  sessions: GrantSessions;
  /** Name of another server that holds a session of the grant; undefined where none is known to. */
  serverOf: (id: string) => Promise<string | undefined>;
  browsers: BrowserPool;
  secrets: Secrets;
  /** The calls that are under way, through all connections. */
  calls: RunningCalls;
}

/** The call that is being answered. */
export interface ToolCall {
  signal: AbortSignal;
  progress: (message: string) => void;
  /** Asks for the approval that the call needs of what it writes; undefined where it needs none. */
  confirm?: Confirm | undefined;
}

/** An answer: structured for programs, as text for agents; what a page said is kept apart from our own words. */
export interface Answer {
  structured: Record<string, unknown>;
  /** Our own words, a line each. */
  lines: string[];
  /** What the pages said. */
  pageContent?: string;
  /** A PNG, base64. */
  image?: string;
  /** Why the call failed though it tells something. */
  error?: CodegenError;
  /** True where the call did something, though it failed: its quota is used. */
  tookEffect?: boolean;
}

export interface Tool {
  name: string;
  title: string;
  description: string;
  annotations: {
    readOnlyHint: boolean;
    destructiveHint: boolean;
    idempotentHint: boolean;
    openWorldHint: boolean;
  };
  /** The whole truth about the arguments. */
  input: z.ZodObject;
  /** Structured results; nothing in it is required, since failed ones have only `error`. */
  output: Record<string, { type: string | string[]; items?: object }>;
  handle: (context: ToolContext, args: unknown, call: ToolCall) => Promise<Answer>;
}

/** Makes a tool from one object; the arguments' types hold in `handle`. Throws INVALID_INPUT on others. */
export function defineTool<Input extends z.ZodObject>(
  definition: Omit<Tool, 'input' | 'handle'> & {
    input: Input;
    handle: (context: ToolContext, args: z.infer<Input>, call: ToolCall) => Promise<Answer>;
  },
): Tool {
  const { input, handle, name } = definition;
  return {
    ...definition,
    async handle(context, args, call) {
      const checked = input.safeParse(args ?? {});
      if (!checked.success) throw invalidInput(checked.error, name, Object.keys(input.shape), input);
      return handle(context, checked.data, call);
    },
  };
}

/** The types of results, as JSON Schema has them. */
export const types = {
  text: { type: 'string' },
  texts: { type: 'array', items: { type: 'string' } },
  number: { type: 'integer' },
  flag: { type: 'boolean' },
  object: { type: 'object' },
  objects: { type: 'array' },
  countOrObjects: { type: ['integer', 'array'] },
};

/** Marks a schema that is advertised by its type and description alone. */
export const shallow = { shallow: true };

/** Marks a schema whose name says enough, so that its description is left to the documentation. */
export const selfEvident = { selfEvident: true };

/** The part of a result that tells of the session's pages. */
export const pageOutput = {
  url: types.text,
  pageTitle: types.text,
  page: types.text,
  pages: types.objects,
  snapshot: types.text,
};

/** What the pages said, as one block of text. */
export function pageText({ url, pageTitle, page, pages, snapshot, events }: PageState): string {
  const lines = [`Page: ${url} ${JSON.stringify(pageTitle)}`];
  if (pages.length > 1)
    lines.push(
      ...pages.map(
        (each) => `${each.id === page ? '*' : '-'} ${each.id}: ${each.url} ${JSON.stringify(each.title)}`,
      ),
    );
  lines.push(...events.map((event) => `Event: ${JSON.stringify(event)}`));
  if (snapshot !== undefined) lines.push('Snapshot:', snapshot);
  return lines.join('\n');
}
