import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import { setTracer, type SpanAttributes, type Tracer } from '../model/span.js';
import { version } from '../model/version.js';

/** Milliseconds between exports, and for each one. */
const pauseMs = 5000;
const exportMs = 5000;
/** More pending spans are dropped. */
const maxPending = 2000;
/** Upper bounds of histogram buckets, in seconds. */
const bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** More series are not counted. */
const maxSeries = 500;

/** Numbers of enumerations in OTLP. */
const [spanOk, spanError, kindInternal, kindServer, cumulative] = [1, 2, 1, 2, 2];

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string | undefined;
}

interface Series {
  attributes: object[];
  count: number;
  sum: number;
  buckets: number[];
}

/** Exports spans and metrics by OTLP over HTTP, as JSON. */
export class Telemetry {
  private readonly current = new AsyncLocalStorage<Span>();
  private readonly series = new Map<string, Series>();
  private readonly began = nanoseconds();
  private spans: object[] = [];
  private sending: Promise<void> = Promise.resolve();
  private hasFailed = false;
  private readonly timer = setInterval(() => void this.flush(), pauseMs).unref();

  constructor(
    private readonly endpoint: string,
    private readonly headers: Record<string, string>,
    private readonly service: string,
  ) {}

  readonly trace: Tracer = (name, attributes, work, errorOf) => {
    const parent = this.current.getStore();
    const own: Span = {
      traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      parentSpanId: parent?.spanId,
    };
    const start = nanoseconds();
    return this.current.run(own, async () => {
      let error: string | undefined;
      try {
        const result = await work();
        error = errorOf?.(result);
        return result;
      } catch (thrown) {
        error = thrown instanceof CodegenError ? thrown.code : '_OTHER';
        throw thrown;
      } finally {
        this.add(own, name, start, { ...attributes, 'error.type': error });
      }
    });
  };

  /** Sends collected spans and metrics; a failure is logged once. */
  flush(): Promise<void> {
    this.sending = this.sending.then(() => this.send());
    return this.sending;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private add(own: Span, name: string, start: bigint, attributes: SpanAttributes): void {
    const end = nanoseconds();
    const error = attributes['error.type'];
    if (this.spans.length < maxPending)
      this.spans.push({
        ...own,
        name,
        kind: own.parentSpanId === undefined ? kindServer : kindInternal,
        startTimeUnixNano: String(start),
        endTimeUnixNano: String(end),
        attributes: keyValues(attributes),
        status: { code: error === undefined ? spanOk : spanError },
      });
    const labels = keyValues({ 'span.name': name, 'error.type': error });
    const key = JSON.stringify(labels);
    const limits = [...bounds, Infinity];
    const empty = { attributes: labels, count: 0, sum: 0, buckets: limits.map(() => 0) };
    const series = this.series.get(key) ?? empty;
    if (this.series.size < maxSeries) this.series.set(key, series);
    const seconds = Number(end - start) / 1e9;
    series.count++;
    series.sum += seconds;
    const index = limits.findIndex((limit) => seconds <= limit);
    series.buckets[index] = (series.buckets[index] ?? 0) + 1;
  }

  private async send(): Promise<void> {
    const spans = this.spans.splice(0);
    if (spans.length === 0) return;
    const service = { 'service.name': this.service, 'service.version': version };
    const resource = { attributes: keyValues({ ...service, 'process.pid': process.pid }) };
    const scope = { name: 'codegen-session-mcp', version };
    const dataPoints = [...this.series.values()].map(({ attributes, count, sum, buckets }) => ({
      attributes,
      startTimeUnixNano: String(this.began),
      timeUnixNano: String(nanoseconds()),
      count: String(count),
      sum,
      bucketCounts: buckets.map(String),
      explicitBounds: bounds,
    }));
    const histogram = { aggregationTemporality: cumulative, dataPoints };
    const description = 'Duration of calls, actions and verifications.';
    const metrics = [{ name: 'codegen.duration', unit: 's', description, histogram }];
    await this.post('traces', { resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] });
    await this.post('metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] });
  }

  private async post(signal: 'traces' | 'metrics', body: object): Promise<void> {
    try {
      const response = await fetch(`${this.endpoint.replace(/\/$/, '')}/v1/${signal}`, {
        method: 'POST',
        headers: { ...this.headers, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
        // A redirect would also receive the headers, which may contain a key.
        redirect: 'error',
        signal: AbortSignal.timeout(exportMs),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      this.hasFailed = false;
    } catch (error) {
      if (!this.hasFailed) log(`OpenTelemetry ${signal} can't be exported: ${messageOf(error)}`);
      this.hasFailed = true;
    }
  }
}

/** Exports spans and metrics as configured by the environment variables of OpenTelemetry. */
export function startTelemetry(endpoint: string, environment: NodeJS.ProcessEnv): Telemetry {
  const pairs = (environment['OTEL_EXPORTER_OTLP_HEADERS'] ?? '').matchAll(/([^,=]+)=([^,]*)/g);
  const headers = [...pairs].map(([, name = '', value = '']): [string, string] => {
    return [name.trim(), decodeURIComponent(value.trim())];
  });
  const service = environment['OTEL_SERVICE_NAME'] ?? 'codegen-session-mcp';
  const telemetry = new Telemetry(endpoint, Object.fromEntries(headers), service);
  setTracer(telemetry.trace);
  return telemetry;
}

function keyValues(attributes: SpanAttributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }];
  });
}

function nanoseconds(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}
