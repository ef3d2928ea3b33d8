import type { z } from 'zod';
import type { BrowserPool } from '../browser/launch.js';
import type { Config } from '../config/schema.js';
import type { Confirm } from '../guard/admission.js';
import type { Guard } from '../guard/guard.js';
import type { PolicyCall } from '../guard/policy.js';
import type { Hold } from '../guard/quota.js';
import type { WrittenFile } from '../guard/plan.js';
import { invalidInput } from '../model/invalid.js';
import type { Secrets } from '../model/secrets.js';
import type { GrantSessions } from '../session/grant-sessions.js';
import type { Answer } from './answer.js';

/** What tools can use; one per MCP connection. */
export interface ToolContext {
  workspace: string;
  /** Absolute path of the state directory. */
  stateDirectory: string;
  /** The configuration as it was at the last refresh. */
  config: () => Config;
  /** Reads the configuration again if it has changed. */
  refresh: () => Promise<void>;
  /** What is wrong with the configuration files, while the last valid ones stay in effect. */
  problem: () => string | undefined;
  /** Calls `listener` when the configuration's files change. */
  watch: (listener: () => Promise<void>) => void;
  guard: Guard;
  sessions: GrantSessions;
  /** Name of the other server that has a session of this grant, if known. */
  serverOf: (id: string) => Promise<string | undefined>;
  browsers: BrowserPool;
  secrets: Secrets;
}

/** Shows the user of a client the URL of a session in the web UI. */
export interface Invite {
  /** Resolves to false if they decline. */
  show: (message: string, url: string) => Promise<boolean>;
  /** Whether it must be shown before the call has an effect: the client repeats the call with the answer. */
  isFirst: boolean;
}

/** The current call. */
export interface ToolCall {
  signal: AbortSignal;
  progress: (message: string) => void;
  /** Called before the first effect of the call: from then on, its quota stays used even if it fails. */
  begin: () => void;
  /** Asks for approval of what the call writes; undefined if none is needed. */
  confirm?: Confirm | undefined;
  /** Undefined if the client can't show URLs. */
  invite?: Invite | undefined;
  /** Admits a call that this one makes, of the same caller. Throws what the guard's `admit` throws. */
  admit: (call: PolicyCall) => Promise<Hold>;
  /** Records the files that the call has written in the audit log. */
  noteFiles: (files: readonly WrittenFile[]) => void;
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
  /** Validates the arguments; clients are shown a shorter version. */
  input: z.ZodObject;
  /** The structured result; nothing is required, since a failed call may have only `error`. */
  output: Record<string, { type: string | string[]; items?: object }>;
  handle: (context: ToolContext, args: unknown, call: ToolCall) => Promise<Answer>;
}

/** Defines a tool whose `handle` gets validated arguments. Throws INVALID_INPUT for others. */
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

/** JSON Schema types of results. */
export const types = {
  text: { type: 'string' },
  texts: { type: 'array', items: { type: 'string' } },
  number: { type: 'integer' },
  flag: { type: 'boolean' },
  object: { type: 'object' },
  objects: { type: 'array' },
  countOrObjects: { type: ['integer', 'array'] },
};

/** Marks a schema of which clients are shown only type and description. */
export const shallow = { shallow: true };

/** Marks a schema whose name says enough: its description appears only in the documentation. */
export const selfEvident = { selfEvident: true };
