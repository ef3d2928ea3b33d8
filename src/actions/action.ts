import type { Locator, Page } from 'playwright';
import { z } from 'zod';
import { literal, pattern } from '../codegen/quote.js';
import { isPattern } from '../model/locator.js';
import { toJson, type Json } from '../model/json.js';
import type { Step } from '../model/step.js';

/** What an action has at hand while it is performed. */
export interface ActionContext {
  page: Page;
  /** What relative URLs are resolved against, where the session has one. */
  baseURL: string | undefined;
  /** Milliseconds for an action or assertion. */
  actionMs: number;
  /** Milliseconds for a navigation. */
  navigationMs: number;
  /** The session's steps so far. */
  steps: Step[];
}

/**
 * What an action does with `target`: `element` must be exactly one element and is emitted by its best locator,
 * `subject` is what an assertion speaks of and may match none or many.
 */
export type TargetUse = 'element' | 'optional element' | 'subject' | 'none';

/** One thing that a session can do: performed in the page first, then emitted as the code that does it again. */
export interface Action {
  name: string;
  description: string;
  target: TargetUse;
  /** False for what changes the recording instead of becoming a part of it. */
  recorded: boolean;
  /** The action's own fields, besides `target`, `note` and `record`. */
  fields: z.ZodObject;
  /** Checks the fields; throws a ZodError. */
  prepare(fields: unknown, baseURL: string | undefined): PreparedAction;
  /** The statement that does the step again; `subject` is the page or the locator. */
  emit(step: Step, subject: string): string;
}

export interface PreparedAction {
  /** Becomes the step's `args`. */
  args: { [name: string]: Json };
  perform(context: ActionContext, target: Locator | undefined): Promise<void>;
}

interface ActionDefinition<Fields extends z.ZodObject> {
  name: string;
  description: string;
  target: TargetUse;
  recorded?: boolean;
  fields: Fields;
  perform: (context: ActionContext, fields: z.infer<Fields>, target: Locator | undefined) => Promise<void>;
  emit: (fields: z.infer<Fields>, subject: string) => string;
  /** The fields as the test is to say them, e.g. with relative URLs. */
  normalize?: (fields: z.infer<Fields>, baseURL: string) => z.infer<Fields>;
}

/** Makes an action from one object; the fields' types hold in `perform` and `emit`. */
export function defineAction<Fields extends z.ZodObject>(definition: ActionDefinition<Fields>): Action {
  const { name, description, target, fields, recorded = true, perform, emit, normalize } = definition;
  return {
    name,
    description,
    target,
    recorded,
    fields,
    prepare(raw, baseURL) {
      const given = fields.parse(raw);
      const checked = baseURL === undefined || normalize === undefined ? given : normalize(given, baseURL);
      return {
        args: toJson(checked),
        perform: (context, target) => perform(context, checked, target),
      };
    },
    emit: (step, subject) => emit(fields.parse(step.args), subject),
  };
}

/** A method call as code; options that are left out, and empty option objects, are not printed. */
export function callCode(subject: string, method: string, ...args: unknown[]): string {
  const given = args.filter((arg) => arg !== undefined && !(isRecord(arg) && Object.keys(arg).length === 0));
  return `${subject}.${method}(${given.map(valueCode).join(', ')})`;
}

/** The source of a value, with `{ regex }` as a regular expression. */
export function valueCode(value: unknown): string {
  if (isPattern(value)) return pattern(value);
  if (Array.isArray(value)) return `[${value.map(valueCode).join(', ')}]`;
  return literal(z.json().parse(value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isPattern(value);
}
