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
import { originOf } from '../browser/origin.js';

/** Options of another context. */
type ContextUse = Omit<Use, 'storageState'> & { storageState?: string | null | undefined };

/** The pages of a session, as actions see them. */
export interface SessionPages {
  /** Opens a blank page beside the others. */
  open(): Promise<Page>;
  /** Opens a page in a new context. Throws SESSION_LIMIT, INVALID_INPUT. */
  openContext(use: ContextUse): Promise<void>;
  /** Makes a page the current one and brings it to the front. Throws INVALID_INPUT. */
  switchTo(id: string): Promise<void>;
  /** Closes the current page; the one that opened it, or else the latest, becomes current. */
  close(): Promise<void>;
}

/** Files of the workspace, by their paths in it. */
export interface SessionFiles {
  /** Absolute path of a file that a page may be given. Throws PATH_NOT_ALLOWED, INVALID_INPUT. */
  readable(file: string): Promise<string>;
  /** The login in a file of the workspace. Throws PATH_NOT_ALLOWED, INVALID_INPUT. */
  login(file: string): Promise<StorageState>;
  /** Writes an artifact of the session. Throws what the guard throws. */
  save(file: string, data: Buffer): Promise<void>;
  /** A module that is installed in the workspace; undefined if it is not. */
  module(name: string): Promise<unknown>;
}

/** How the next dialog is to be answered. */
interface DialogAnswer {
  accept: boolean;
  promptText?: string | undefined;
  /** Whether a page of this origin may get the text; any by default. */
  isFor?: ((origin: string) => boolean) | undefined;
  /** The dialog's expected message; any message if left out. */
  message?: TextOrPattern | undefined;
}

/** An event that the next action must cause. */
export interface ExpectedEvent {
  /** Resolves when it has happened; rejects if it differs from what was expected. */
  happened: Promise<void>;
  /** The message if it does not happen, e.g. `No dialog came`. */
  missing: string;
  /** What to say if it has just happened, e.g. `A response of "/save" came`. */
  past?: string | undefined;
  /** Fields of the step that are known only then, e.g. what a dialog said. */
  fields?: Promise<Step['args']> | undefined;
  /** Stops waiting for it. */
  cancel: () => void;
}

/** Secrets on their way to a page or a server. */
interface Delivery {
  /** Names of those that are bound to origins. */
  names: readonly string[];
  /** Call before an origin gets them. Throws POLICY_DENIED if it must not. */
  to: (origin: string) => void;
}

/** Steps to remove, and automatic assertions of steps that stay. */
export interface Removal {
  steps?: readonly number[] | undefined;
  assertions?: readonly { step: number; index: number }[] | undefined;
}

/** What an action can use while it is performed. */
export interface ActionContext {
  page: Page;
  pages: SessionPages;
  files: SessionFiles;
  /** The second element, if the action takes one. */
  to: Locator | undefined;
  /** The latest download; undefined if there was none. */
  download: Download | undefined;
  /** Notes what the action caused, if only the action knows. */
  credit: (signal: Signal) => void;
  /** Answers the next dialog that no earlier answer is for. */
  answerDialog: (answer: DialogAnswer) => ExpectedEvent;
  /** Makes the next action wait for this event. */
  expectEvent: (event: ExpectedEvent) => void;
  /** Removes recorded steps and automatic assertions, by their indexes. */
  remove: (removal: Removal) => Promise<void>;
  /** Shows the agent what was read from the page. */
  show: (value: unknown) => void;
  /** Asks a person to continue by hand, if one can be asked. Resolves to the outcome; throws ACTION_FAILED. */
  handOver?: (reason: string, timeoutMs: number) => Promise<string>;
  /** Adds what was found to the fields of the step. */
  found: (fields: { [name: string]: string | number }) => void;
  secrets: Secrets;
  bound: BoundSecrets;
  /** The secrets of the fields; undefined if there are none. */
  delivery?: Delivery;
  /** The base of relative URLs, if the session has one. */
  baseURL: string | undefined;
  /** Responses since the last action began. */
  recent: readonly { method: string; url: string }[];
  /** Milliseconds for an action or assertion. */
  actionMs: number;
  navigationMs: number;
  /** The session's steps so far. */
  steps: readonly Step[];
}

/**
 * What an action does with `target`: `element` must be exactly one element and is emitted by its best locator,
 * `elements` and `subject` may match none or many and are emitted as given; a `subject` is the page if left out.
 */
export type TargetUse = 'element' | 'optional element' | 'elements' | 'subject' | 'none';

/** Whether an action's target may match no element. */
export function isSubject({ target }: Pick<Action, 'target'>): boolean {
  return target === 'elements' || target === 'subject';
}

/** One thing that a session can do: performed in the page first, then emitted as the code that does it again. */
export interface Action extends Traits {
  name: string;
  description: string;
  target: TargetUse;
  /** The field of a second element, which is given as `target` is. */
  second?: 'to' | 'click';
  /** The targets that a picture hides. */
  masked?: (args: Step['args']) => string[];
  /** False for what changes the recording instead of becoming a part of it. */
  recorded: boolean;
  /** The action's own fields, besides `target`, `note` and `record`. */
  fields: z.ZodObject;
  /** Whether the fields have the names of Playwright's parameters and options, which agents know. */
  playwrightNames: boolean;
  /** Checks the fields, in which references to secrets are templates; throws a ZodError. */
  prepare(fields: Json, baseURL: string | undefined): PreparedAction;
  /** The statements that do the step again. */
  toCode(step: Pick<Step, 'args'>, scope: CodeScope): Statement[];
}

export interface PreparedAction {
  /** Becomes the step's `args`. */
  args: { [name: string]: Json };
  perform(context: ActionContext, target: Locator | undefined): Promise<void>;
}

interface ActionDefinition<Fields extends z.ZodObject> extends Partial<Traits> {
  name: string;
  description: string;
  /** None by default. */
  target?: TargetUse;
  recorded?: boolean;
  second?: 'to' | 'click';
  masked?: (args: Step['args']) => string[];
  fields: Fields;
  playwrightNames?: boolean;
  perform: (context: ActionContext, fields: z.infer<Fields>, target: Locator | undefined) => Promise<void>;
  /** No code by default. */
  toCode?: (fields: z.infer<Fields>, scope: CodeScope) => Statement[];
  /** The origins that receive the fields; by default that of the element's frame, or of the page. */
  origins?: (fields: z.infer<Fields>, baseURL: string | undefined) => string[];
  /** The fields as the test is to say them, e.g. with relative URLs. */
  normalize?: (fields: z.infer<Fields>, baseURL: string) => z.infer<Fields>;
}

/** Makes an action from one object; the fields' types hold in `perform` and `toCode`. */
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
          if (referencesIn(args).length === 0) return perform(context, checked, target);
          const { secrets, bound, page } = context;
          await secrets.load(args);
          const revealed = fields.parse(secrets.reveal(args));
          bound.deliver(args, origins?.(revealed, baseURL) ?? [await originOf(page, target)]);
          const delivery: Delivery = {
            names: secrets.boundIn(args),
            to(origin) {
              bound.deliver(args, [origin]);
            },
          };
          return perform({ ...context, delivery }, revealed, target);
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
