import type { Browser } from 'playwright';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';
import type { BrowserPool } from '../../browser/launch.js';
import type { Limit } from '../../model/policy.js';
import type { AnsweredCall } from '../call.js';

export interface ServerUsage {
  sessions: ReadonlyMap<string, number>;
  /** MCP sessions. */
  connections: ReadonlyMap<string, number>;
  limits: readonly { grant: string; limit: Limit; used: number }[];
}

/** Codes of rejected calls; others failed. */
const denials = new Set([
  'POLICY_DENIED',
  'APPROVAL_REQUIRED',
  'RATE_LIMITED',
  'SESSION_LIMIT',
  'QUOTA_EXCEEDED',
  'PATH_NOT_ALLOWED',
  'NAVIGATION_BLOCKED',
]);

const buckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

const resultSchema = z.object({
  recorded: z.number().catch(0),
  verification: z.object({ status: z.string(), runs: z.number() }).optional().catch(undefined),
});

/** The metrics of a server, in Prometheus text format. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly latency = new Histogram({
    name: 'codegen_call_duration_seconds',
    help: 'Duration of tool calls.',
    labelNames: ['tool'],
    buckets,
    registers: [this.registry],
  });
  private readonly errors = this.counter('call_errors', 'Failed and rejected calls.', 'tool', 'code');
  private readonly denied = this.counter('denials', 'Calls rejected by policy, limits or quotas.', 'code');
  private readonly recorded = this.counter('actions_recorded', 'Recorded actions.');
  private readonly verifyRuns = this.counter('verify_runs', 'Verification runs.', 'status');
  private readonly starts = this.counter('browser_starts', 'Started browsers.');
  private readonly restarts = this.counter('browser_restarts', 'Started browsers that replaced a lost one.');
  private readonly responses = this.counter('http_responses', 'HTTP responses.', 'status');
  private readonly sessions = this.gauge('sessions_open', 'Open recording sessions.', 'grant');
  private readonly connections = this.gauge('mcp_sessions_open', 'Open MCP sessions.', 'grant');
  private readonly limitUsed = this.limitGauge('used', 'Usage of a limit in its window.');
  private readonly limitMax = this.limitGauge('max', 'Maximum of a limit in its window.');

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Returns a pool that counts the browsers it starts. */
  counting(pool: BrowserPool): BrowserPool {
    const seen = new WeakSet<Browser>();
    const choices = new Set<string>();
    return {
      ...pool,
      get: async (choice, onProgress) => {
        const browser = await pool.get(choice, onProgress);
        if (seen.has(browser)) return browser;
        seen.add(browser);
        this.starts.inc();
        const key = JSON.stringify(choice);
        if (choices.has(key)) this.restarts.inc();
        choices.add(key);
        return browser;
      },
    };
  }

  answered({ tool, seconds, structured, error }: AnsweredCall): void {
    this.latency.observe({ tool }, seconds);
    if (error !== undefined) this.errors.inc({ tool, code: error });
    if (error !== undefined && denials.has(error)) this.denied.inc({ code: error });
    const { recorded, verification } = resultSchema.parse(structured);
    this.recorded.inc(recorded);
    if (verification) this.verifyRuns.inc({ status: verification.status }, verification.runs);
  }

  responded(status: number): void {
    this.responses.inc({ status });
  }

  async respond({ sessions, connections, limits }: ServerUsage): Promise<Response> {
    for (const gauge of [this.sessions, this.connections, this.limitUsed, this.limitMax]) gauge.reset();
    for (const [grant, count] of sessions) this.sessions.set({ grant }, count);
    for (const [grant, count] of connections) this.connections.set({ grant }, count);
    for (const { grant, limit, used } of limits) {
      const { scope, counter, window, max } = limit;
      const labels = { grant: scope === 'grant' ? grant : '', scope, counter, window };
      this.limitUsed.set(labels, used);
      this.limitMax.set(labels, max);
    }
    return new Response(await this.registry.metrics(), {
      headers: { 'Content-Type': this.registry.contentType, 'Cache-Control': 'no-store' },
    });
  }

  private counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name: `codegen_${name}_total`, help, labelNames, registers: [this.registry] });
  }

  private gauge(name: string, help: string, ...labelNames: string[]): Gauge {
    return new Gauge({ name: `codegen_${name}`, help, labelNames, registers: [this.registry] });
  }

  private limitGauge(name: string, help: string): Gauge {
    return this.gauge(`limit_${name}`, help, 'grant', 'scope', 'counter', 'window');
  }
}
