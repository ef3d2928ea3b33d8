import type { Browser } from 'playwright';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';
import type { BrowserPool } from '../../browser/launch.js';
import type { Limit } from '../../model/policy.js';

/** A call that was answered. */
export interface AnsweredCall {
  tool: string;
  seconds: number;
  structured: Record<string, unknown>;
  error: string | undefined;
}

/** How things stand when metrics are asked for. */
export interface Standing {
  /** Open sessions that record, and those of MCP, by grant. */
  sessions: ReadonlyMap<string, number>;
  connections: ReadonlyMap<string, number>;
  limits: readonly { grant: string; limit: Limit; used: number }[];
}

export interface Metrics {
  /** The pool, whose starts of browsers are counted. */
  counting(pool: BrowserPool): BrowserPool;
  answered(call: AnsweredCall): void;
  responded(status: number): void;
  contentType: string;
  /** All metrics in Prometheus' text format. */
  text(standing: Standing): Promise<string>;
}

/** Codes of calls that were refused, rather than failed. */
const denials = new Set([
  'POLICY_DENIED',
  'APPROVAL_REQUIRED',
  'RATE_LIMITED',
  'SESSION_LIMIT',
  'QUOTA_EXCEEDED',
  'PATH_NOT_ALLOWED',
  'NAVIGATION_BLOCKED',
]);

const seconds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

const toldSchema = z.object({
  recorded: z.number().catch(0),
  verification: z.object({ status: z.string(), runs: z.number() }).optional().catch(undefined),
});

export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  collectDefaultMetrics({ register: registry });
  const latency = new Histogram({
    name: 'codegen_call_duration_seconds',
    help: 'Duration of tool calls.',
    labelNames: ['tool'],
    buckets: seconds,
    registers,
  });
  const errors = new Counter({
    name: 'codegen_call_errors_total',
    help: 'Calls that failed, by the code of their error.',
    labelNames: ['tool', 'code'],
    registers,
  });
  const denied = new Counter({
    name: 'codegen_denials_total',
    help: 'Calls that policy, limits or quotas refused, by the code of their error.',
    labelNames: ['code'],
    registers,
  });
  const recorded = new Counter({
    name: 'codegen_actions_recorded_total',
    help: 'Actions that record_codegen_session recorded or performed.',
    registers,
  });
  const verifyRuns = new Counter({
    name: 'codegen_verify_runs_total',
    help: 'Runs of tests before they were written, by what came of the verification.',
    labelNames: ['status'],
    registers,
  });
  const browserStarts = new Counter({
    name: 'codegen_browser_starts_total',
    help: 'Browser processes started.',
    registers,
  });
  const browserRestarts = new Counter({
    name: 'codegen_browser_restarts_total',
    help: 'Browser processes started in the place of one that was gone.',
    registers,
  });
  const responses = new Counter({
    name: 'codegen_http_responses_total',
    help: 'HTTP responses by status.',
    labelNames: ['status'],
    registers,
  });
  const sessions = new Gauge({
    name: 'codegen_sessions_open',
    help: 'Sessions that record.',
    labelNames: ['grant'],
    registers,
  });
  const connections = new Gauge({
    name: 'codegen_mcp_sessions_open',
    help: 'MCP sessions.',
    labelNames: ['grant'],
    registers,
  });
  const limitLabels = ['grant', 'scope', 'counter', 'window'] as const;
  const limitUsed = new Gauge({
    name: 'codegen_limit_used',
    help: 'Units used of a limit in its window.',
    labelNames: limitLabels,
    registers,
  });
  const limitMax = new Gauge({
    name: 'codegen_limit_max',
    help: 'Units that a limit admits in its window.',
    labelNames: limitLabels,
    registers,
  });

  return {
    counting(pool) {
      const seen = new WeakSet<Browser>();
      const choices = new Set<string>();
      return {
        ...pool,
        async get(choice, onProgress) {
          const browser = await pool.get(choice, onProgress);
          if (seen.has(browser)) return browser;
          seen.add(browser);
          browserStarts.inc();
          const key = JSON.stringify(choice);
          if (choices.has(key)) browserRestarts.inc();
          choices.add(key);
          return browser;
        },
      };
    },

    answered({ tool, seconds, structured, error }) {
      latency.observe({ tool }, seconds);
      if (error !== undefined) errors.inc({ tool, code: error });
      if (error !== undefined && denials.has(error)) denied.inc({ code: error });
      const told = toldSchema.parse(structured);
      recorded.inc(told.recorded);
      if (told.verification) verifyRuns.inc({ status: told.verification.status }, told.verification.runs);
    },

    responded(status) {
      responses.inc({ status: String(status) });
    },

    contentType: registry.contentType,

    text(standing) {
      for (const gauge of [sessions, connections, limitUsed, limitMax]) gauge.reset();
      for (const [grant, count] of standing.sessions) sessions.set({ grant }, count);
      for (const [grant, count] of standing.connections) connections.set({ grant }, count);
      for (const { grant, limit, used } of standing.limits) {
        const { scope, counter, window, max } = limit;
        const labels = { grant: scope === 'grant' ? grant : '', scope, counter, window: String(window) };
        limitUsed.set(labels, used);
        limitMax.set(labels, max);
      }
      return registry.metrics();
    },
  };
}
