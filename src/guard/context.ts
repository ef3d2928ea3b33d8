import path from 'node:path';
import type { Language } from '../model/emission.js';
import type { Limit } from '../model/policy.js';
import type { Policy } from '../model/rules.js';
import type { Clock } from '../state/clock.js';
import type { Redis } from '../state/redis.js';
import type { Audit } from './audit.js';
import type { Budget } from './budget.js';
import type { Territory } from './paths.js';
import { limitsOf } from './policy.js';
import type { Caller, Quota } from './quota.js';
import type { GuardState, StatePlace } from './state.js';
import type { WriteOptions } from './writer.js';

/** The part of the configuration that the guard reads, on every call. */
export interface GuardConfig {
  policy: Policy;
  writes: Pick<WriteOptions, 'overwrite' | 'maxFileBytes' | 'backups'> & Budget & { limits: Limit[] };
  output: { dir: string; language: Language };
  /** Whether limited calls run while the state can't be reached. */
  state: { failMode: 'closed' | 'open' };
  /** Files and directories of the operator, absolute or relative to the workspace, which no page gets. */
  operatorFiles?: readonly string[];
  /** Set if other grants are configured: this one is confined to its output directory and shares their counters. */
  others?:
    | {
        /** Their directories of output and logins, relative to the workspace, without this grant's own. */
        directories: readonly string[];
        limits: readonly Limit[];
        policies: readonly Policy[];
      }
    | undefined;
}

/** The secrets of a server, as the guard needs them. */
export interface GuardSecrets {
  /** Names of those whose values are in what is to be written. */
  leaksIn(data: Buffer | string): string[];
  redactAll<Value>(value: Value): Value;
}

export interface GuardOptions {
  /** Absolute path of the workspace. */
  workspace: string;
  /** Absolute path of the state directory. */
  stateDirectory: string;
  config: () => GuardConfig;
  caller: Caller;
  /** Finds and replaces the values of secrets in what is written; none by default. */
  secrets?: GuardSecrets | undefined;
  /** Keeps the state that several machines share. */
  redis?: Redis | undefined;
  clock?: Clock;
  /** The state that all guards of a process share; by default each opens its own. */
  state?: () => Promise<GuardState>;
}

/** What every part of a guard works with. State is opened on first use, which keeps start-up short. */
export interface GuardContext {
  territory: Territory;
  config: () => GuardConfig;
  caller: Caller;
  secrets: GuardSecrets | undefined;
  statePlace: StatePlace;
  /** The limits of the caller, without those that it only shares. */
  ownLimits: () => Limit[];
  state: () => Promise<GuardState>;
  quota: () => Promise<Quota>;
  audit: () => Promise<Audit>;
}

export function createContext(options: GuardOptions): GuardContext {
  const { config, caller, secrets, redis, clock } = options;
  const territory = {
    workspace: path.resolve(options.workspace),
    stateDirectory: path.resolve(options.stateDirectory),
  };
  const statePlace = { directory: territory.stateDirectory, redis, clock };
  const state = options.state ?? sharedState(statePlace);
  const ownLimits = (): Limit[] => [...limitsOf(config().policy), ...config().writes.limits];
  const sharedLimits = (): Limit[] => {
    const { limits = [], policies = [] } = config().others ?? {};
    return [...limits, ...policies.flatMap(limitsOf)];
  };
  return {
    territory,
    config,
    caller,
    secrets,
    statePlace,
    ownLimits,
    state,
    quota: once(async () => {
      const [{ openQuota }, { limits }] = await Promise.all([import('./quota.js'), state()]);
      return openQuota({ store: limits, caller, configured: () => [...ownLimits(), ...sharedLimits()] });
    }),
    audit: once(async () => {
      const [{ openAudit }, { audit, nextOrder }] = await Promise.all([import('./audit.js'), state()]);
      return openAudit({
        directory: territory.stateDirectory,
        store: audit,
        nextOrder,
        caller,
        secrets,
        failMode: () => config().state.failMode,
      });
    }),
  };
}

/** Opens the state on first use. */
export function sharedState(place: StatePlace): () => Promise<GuardState> {
  return once(async () => (await import('./state.js')).openState(place));
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}
