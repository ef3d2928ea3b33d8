import type { Download, Locator, Page } from 'playwright';
import type { z } from 'zod';
import type { CodeScope, Statement } from '../model/code.js';
import type { TextOrPattern } from '../model/locator.js';
import { toJson, type Json } from '../model/json.js';
import type { Secrets } from '../model/secrets.js';
import type { Signal, Step } from '../model/step.js';
import { Placeholders, referencesIn } from '../model/template.js';
import type { Traits } from '../model/traits.js';
import type { Use } from '../model/use.js';
import type { BoundSecrets } from '../browser/bound-secrets.js';
import type { StorageState } from '../browser/context-options.js';
import { originOf, originsWithKeys } from '../browser/origin.js';

type ContextUse = Omit<Use, 'storageState'> & { storageState?: string | null | undefined };

export interface SessionPages {
  /** Opens a blank page. */
  open(): Promise<Page>;
  /** Opens a page in a new context. Throws SESSION_LIMIT, INVALID_INPUT. */
  openContext(use: ContextUse): Promise<void>;
  /** Makes a page the current one and brings it to the front. Throws INVALID_INPUT. */
  switchTo(id: string): Promise<void>;
  /** Closes the current page; its opener, or else the latest page, becomes current. */
  close(): Promise<void>;
}

/** Files of the workspace; paths are relative to it. */
export interface SessionFiles {
  /** Absolute path of a file that may be uploaded. Throws PATH_NOT_ALLOWED, INVALID_INPUT. */
  readable(file: string): Promise<string>;
  /** The storage state in a file. Throws PATH_NOT_ALLOWED, INVALID_INPUT. */
  login(file: string): Promise<StorageState>;
  /** Writes an artifact of the session. Throws what the guard throws. */
  save(file: string, data: Buffer): Promise<void>;
  /** A module that is installed in the workspace; undefined if it is not. */
  module(name: string): Promise<unknown>;
}

/** The answer to the next dialog. */
interface DialogAnswer {
  accept: boolean;
  promptText?: string | undefined;
  /** Whether a page of this origin may receive `promptText`; any page by default. */
  isFor?: ((origin: string) => boolean) | undefined;
  /** The expected message; any by default. */
  message?: TextOrPattern | undefined;
}

/** An event that the next action must cause. */
export interface ExpectedEvent {
  /** Resolves when it has happened; rejects if it differs from what was expected. */
  happened: Promise<void>;
  /** The error if it does not happen, e.g. `No dialog opened`. */
  missing: string;
  /** The error if it has already happened, e.g. `A response of "/save" arrived`. */
  past?: string | undefined;
  /** Fields of the step that are known only afterwards, e.g. the message of a dialog. */
  fields?: Promise<Step['args']> | undefined;
  cancel: () => void;
}

interface Delivery {
  /** Names of the secrets that are bound to origins. */
  names: readonly string[];
  /** Must be called before an origin receives the secrets. Throws POLICY_DENIED. */
  to: (origin: string) => void;
}

export interface Removal {
  steps?: readonly number[] | undefined;
  assertions?: readonly { step: number; index: number }[] | undefined;
}

export interface ActionContext {
  page: Page;
  pages: SessionPages;
  files: SessionFiles;
  /** The second element, e.g. of `dragTo`. */
  to: Locator | undefined;
  download: Download | undefined;
  /** Adds an event that the action caused to the step. */
  credit: (signal: Signal) => void;
  /** Answers the next dialog after those that already have an answer. */
  answerDialog: (answer: DialogAnswer) => ExpectedEvent;
  /** Makes the next action wait for this event. */
  expectEvent: (event: ExpectedEvent) => void;
  /** Removes recorded steps and automatic assertions, by their indexes. */
  remove: (removal: Removal) => Promise<void>;
  /** Shows the agent what was read from the page. */
  show: (value: unknown) => void;
  /** Asks a person to continue by hand; undefined without a web UI. Throws ACTION_FAILED. */
  handOver?: (reason: string, timeoutMs: number) => Promise<string>;
  /** Adds fields to the step. */
  found: (fields: { [name: string]: string | number }) => void;
  secrets: Secrets;
  bound: BoundSecrets;
  /** Undefined if the fields contain no secrets. */
  delivery?: Delivery;
  baseURL: string | undefined;
  /** Responses since the last action began. */
  recent: readonly { method: string; url: string }[];
  /** Milliseconds for an action or assertion. */
  actionMs: number;
  navigationMs: number;
  steps: readonly Step[];
}

/**
 * What `target` is: `element` must match exactly one element and is emitted as its best locator; `elements` and `subject`
 * may match any number and are emitted as given; a `subject` is the page by default.
 */
export type TargetUse = 'element' | 'optional element' | 'elements' | 'subject' | 'none';

/** Whether an action's target may match no element. */
export function isSubject({ target }: Pick<Action, 'target'>): boolean {
  return target === 'elements' || target === 'subject';
}

export interface Action extends Traits {
  name: string;
  description: string;
  target: TargetUse;
  /** The field of a second element, in the same form as `target`. */
  second?: 'to' | 'click';
  /** The targets that are masked in a screenshot. */
  masked?: (args: Step['args']) => string[];
  /** False for actions that change the recording, such as `undo`. */
  recorded: boolean;
  /** The action's own fields, besides `target`, `note` and `record`. */
  fields: z.ZodObject;
  /** Whether the fields are named as in Playwright, so that agents know them. */
  playwrightNames: boolean;
  /** Validates the fields, in which references to secrets are templates. Throws a ZodError. */
  prepare(fields: Json, baseURL: string | undefined): PreparedAction;
  toCode(step: Pick<Step, 'args'>, scope: CodeScope): Statement[];
}

export interface PreparedAction {
  args: { [name: string]: Json };
  perform(context: ActionContext, target: Locator | undefined): Promise<void>;
}

export interface ActionDefinition<Fields extends z.ZodObject> extends Partial<
  Omit<Action, 'prepare' | 'toCode'>
> {
  name: string;
  description: string;
  fields: Fields;
  perform: (context: ActionContext, fields: z.infer<Fields>, target: Locator | undefined) => Promise<void>;
  toCode?: (fields: z.infer<Fields>, scope: CodeScope) => Statement[];
  /** The origins that receive the fields; by default that of the element's frame, or of the page. */
  origins?: (fields: z.infer<Fields>, baseURL: string | undefined) => string[];
  /** The fields for the test, e.g. with relative URLs. */
  normalize?: (fields: z.infer<Fields>, baseURL: string) => z.infer<Fields>;
}

/** An action that calls one method of Playwright. `args` are the arguments, in the session and in the test. */
export interface MethodDefinition<Fields extends z.ZodObject, Args extends unknown[]> {
  description: string;
  kind?: Action['kind'];
  drags?: Action['drags'];
  fields: Fields;
  args: (fields: z.infer<Fields>) => Args;
}

/** The fields of an action; the wait for its target is part of its own timeout. */
function inTimeLeft<Fields extends object>(
  fields: Fields,
  { actionMs }: ActionContext,
  target: Locator | undefined,
): Fields {
  const isTimed = target !== undefined && 'timeout' in fields && typeof fields.timeout === 'number';
  return isTimed ? { ...fields, timeout: actionMs } : fields;
}

/** Defines an action whose `perform` and `toCode` get typed fields. */
export function defineAction<Fields extends z.ZodObject>(definition: ActionDefinition<Fields>): Action {
  const { perform, toCode = () => [], normalize, origins, ...rest } = definition;
  const { fields } = definition;
  return {
    kind: 'mutates',
    target: 'none',
    playwrightNames: false,
    recorded: true,
    ...rest,
    prepare(raw, baseURL) {
      const placeholders = new Placeholders();
      const given = fields.parse(placeholders.hide(raw));
      const checked = baseURL === undefined || normalize === undefined ? given : normalize(given, baseURL);
      const args = placeholders.restore(toJson(checked));
      return {
        args,
        async perform(context, target) {
          if (referencesIn(args).length === 0)
            return perform(context, inTimeLeft(checked, context, target), target);
          const { secrets, bound, page } = context;
          await secrets.load(args);
          const revealed = fields.parse(secrets.reveal(args));
          const names = secrets.boundIn(args);
          if (names.length > 0) {
            const own = async (): Promise<string[]> =>
              rest.types ? originsWithKeys(page) : [await originOf(page, target)];
            bound.deliver(args, origins?.(revealed, baseURL) ?? (await own()));
          }
          const delivery: Delivery = {
            names,
            to(origin) {
              bound.deliver(args, [origin]);
            },
          };
          return perform({ ...context, delivery }, inTimeLeft(revealed, context, target), target);
        },
      };
    },
    toCode({ args }, scope) {
      const placeholders = new Placeholders();
      const hidden = ({ args: own, ...step }: Step): Step => ({
        ...step,
        args: placeholders.hideFields(own),
      });
      const given = fields.parse(placeholders.hide(args));
      return placeholders.restore(
        toCode(given, {
          ...scope,
          companions: scope.companions.map(hidden),
          input: (value) => scope.input(placeholders.restore(value)),
        }),
      );
    },
  };
}
