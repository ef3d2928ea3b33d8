import type { z } from 'zod';
import type { conditionSchema, Limit } from './policy.js';

/** A compiled policy. Each rule has its path in the document. */
export interface Policy {
  default: 'allow' | 'deny';
  /** False for a dry run: decisions are logged, not applied. */
  enforce: boolean;
  /** Names and patterns of tools that are neither listed nor callable. */
  hide: readonly string[];
  all: Rules;
  /** Rules by the name of the tool; a tool that is listed is allowed. */
  tools: ReadonlyMap<string, Rules>;
  hash: string;
  /** Absolute path of its file; missing if it is written in the configuration. */
  file?: string | undefined;
}

export interface Rules {
  /** False for a dry run of this tool. */
  enforce: boolean;
  deny?: Rule | undefined;
  approve?: Rule | undefined;
  require: readonly Condition[];
  denyIf: readonly Condition[];
  approveIf: readonly Condition[];
  limits: readonly CallLimit[];
  actions?: { deny: readonly string[]; allow: readonly string[] } | undefined;
}

export interface Rule {
  /** Path in the document, e.g. `tools.end_codegen_session.action`. */
  rule: string;
  /** Shown to the agent. */
  reason?: string | undefined;
}

export interface Condition extends Rule {
  /** Path of the value, as written: `args.actions[0].action`. */
  path: string;
  op: z.infer<typeof conditionSchema>['op'];
  value: string | number | boolean | readonly (string | number | boolean)[];
  /** Whether a text matches; set if the operator is `regex`. */
  matches?: ((text: string) => boolean) | undefined;
}

export interface CallLimit extends Rule {
  limit: Limit;
  /** The argument whose value is counted; each call counts as 1 by default. */
  incrementFrom?: string | undefined;
}
