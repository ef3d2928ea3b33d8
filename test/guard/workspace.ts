import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { BackupLimits } from '../../src/guard/backups.js';
import type { Budget } from '../../src/guard/budget.js';
import type { GuardConfig } from '../../src/guard/context.js';
import { createGuard, type Guard } from '../../src/guard/guard.js';
import { withHeader } from '../../src/model/header.js';
import { compileExpression } from '../../src/config/expression.js';
import { compilePolicy } from '../../src/config/policy.js';
import { policySchema, type Limit } from '../../src/model/policy.js';
import type { Policy } from '../../src/model/rules.js';
import type { Clock } from '../../src/state/clock.js';
import { openRedis } from '../../src/state/redis.js';

/** What a test changes of the configuration. */
export interface Settings {
  policy?: object;
  limits?: Limit[];
  overwrite?: GuardConfig['writes']['overwrite'];
  maxFileBytes?: number;
  budget?: Partial<Budget>;
  backups?: Partial<BackupLimits>;
  grant?: string;
  connection?: string;
  clock?: Clock;
  failMode?: GuardConfig['state']['failMode'];
  /** URL of the Redis that keeps the shared state. */
  redis?: string | undefined;
}

/** A policy from its document, whose version may be left out. */
export function policyOf(document: object): Policy {
  return compilePolicy(policySchema.parse({ version: '1', ...document }), compileExpression);
}

/** A configuration in which only what a test sets is limited. */
export function configure(settings: Settings = {}): GuardConfig {
  return {
    policy: policyOf({ default: 'allow', ...settings.policy }),
    writes: {
      overwrite: settings.overwrite ?? 'generated',
      maxFileBytes: settings.maxFileBytes ?? 262_144,
      maxFilesPerSession: 3,
      maxBytesPerSession: 1e9,
      maxFilesPerDay: 1e9,
      maxBytesPerDay: 1e9,
      maxFilesInDirectory: 1e9,
      maxBytesInDirectory: 1e9,
      backups: { maxFiles: 100, maxAgeDays: 100, ...settings.backups },
      ...settings.budget,
      limits: settings.limits ?? [],
    },
    output: { dir: 'generated-tests', language: 'typescript' },
    state: { failMode: settings.failMode ?? 'closed' },
  };
}

/** A guard over a workspace, which is made if need be. */
export function openGuard(workspace: string, settings: Settings = {}): Guard {
  mkdirSync(workspace, { recursive: true });
  const config = configure(settings);
  return createGuard({
    workspace,
    stateDirectory: path.join(workspace, '.codegen'),
    config: () => config,
    caller: { grant: settings.grant ?? 'local', connection: settings.connection ?? 'one' },
    redis: settings.redis === undefined ? undefined : openRedis({ url: settings.redis, prefix: 'test' }),
    ...(settings.clock ? { clock: settings.clock } : {}),
  });
}

/** The whole text of an emitted file, as a function of its path. */
export const emitted = (body: string) => (relativePath: string) => withHeader(relativePath, body);

/** A clock that a test sets. */
export function manualClock(): Clock & { advance(milliseconds: number): void; reboot(): void } {
  const instant = { boot: 'first', monotonic: 1_000_000, wall: 1_700_000_000_000 };
  return {
    now: () => ({ ...instant }),
    advance(milliseconds) {
      instant.monotonic += milliseconds;
      instant.wall += milliseconds;
    },
    reboot() {
      instant.boot = 'second';
      instant.monotonic = 10;
    },
  };
}

/** The code of the error that a call fails with, or what it returned. */
export async function outcomeOf<Result>(call: Promise<Result>): Promise<unknown> {
  return call.catch((error: unknown) => (error instanceof Error && 'code' in error ? error.code : error));
}
