import type { z } from 'zod';
import type { conditionSchema, Limit } from './policy.js';

/** A policy as it is evaluated, whatever form it was written in. Each part of it knows its place in the document. */
export interface Policy {
  default: 'allow' | 'deny';
  /** False for a dry run: decisions are logged, not applied. */
  enforce: boolean;
  /** Names and patterns of tools that are neither listed nor callable. */
  hide: readonly string[];
  /** Rules for every tool. */
  all: Rules;
  /** Rules by the name of the tool; a tool that is listed is allowed. */
  tools: ReadonlyMap<string, Rules>;
  /** SHA-256 of the document. */
  hash: string;
  /** Absolute path of its file; missing if it is written in the configuration. */
  file?: string | undefined;
}

export interface Rules {
  /** False for a dry run of what is decided over this tool. */
  enforce: boolean;
  /** Set if the tool is denied. */
  deny?: Rule | undefined;
  /** Set if every call of it needs approval. */
  approve?: Rule | undefined;
  /** Conditions that must all hold. */
  require: readonly Condition[];
  /** Conditions of which none may hold. */
  denyIf: readonly Condition[];
  /** Conditions of which any asks for approval. */
  approveIf: readonly Condition[];
  limits: readonly CallLimit[];
  actions?: { deny: readonly string[]; allow: readonly string[] } | undefined;
}

export interface Rule {
  /** Its place in the document, e.g. `tools.end_codegen_session.action`. */
  rule: string;
  /** Shown with refusals. */
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
  /** The argument that is counted; one for each call if left out. */
  incrementFrom?: string | undefined;
}
