import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/schema.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import { within } from '../model/within.js';
import type { AnsweredCall } from './call.js';

/** More pending events are dropped. */
const maxPending = 100;
const maxAttempts = 5;
/** Milliseconds before the second attempt; doubles with each attempt. */
const retryMs = 1000;
const attemptMs = 5000;

interface Event {
  id: string;
  /** JSON, the same in every attempt. */
  body: string;
}

/** Reports denied calls and pending approvals to a URL, signed as in Standard Webhooks. Never delays a call. */
export class Webhook {
  private readonly pending: Event[] = [];
  private readonly secrets = new Map<string, string>();
  private readonly stopped = new AbortController();
  private dropped = 0;
  private sending: Promise<void> | undefined;

  constructor(
    private readonly settings: () => Config['webhook'],
    private readonly environment: NodeJS.ProcessEnv,
  ) {
    const now = settings();
    if (now !== null && this.secretOf(now) === undefined)
      throw new CodegenError(
        'CONFIG_INVALID',
        `webhook.secretEnv is "${now.secretEnv}": this environment variable is not set.`,
        { hint: 'Start the server with it; receivers need the same key to check signatures.' },
      );
  }

  get waiting(): number {
    return this.pending.length;
  }

  /** Reports a call if the policy or a person denied it, or if it needs approval. */
  answered(grant: string, { tool, session, error, decision }: AnsweredCall): void {
    const settings = this.settings();
    if (settings === null || decision === undefined || error === undefined) return;
    const type = { APPROVAL_REQUIRED: 'approval.required', POLICY_DENIED: 'call.denied' }[error];
    // Without a request for approval, the call was cancelled or the client asks its user.
    if (type === undefined || (type === 'approval.required' && decision.approval === undefined)) return;
    if (this.pending.length >= maxPending) {
      if (this.dropped++ === 0) log('webhook: the queue of events is full; the newest are dropped');
      return;
    }
    const { kind, rule, approval } = decision;
    const data = { tool, grant, session, decision: kind, rule, approval };
    const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
    this.pending.push({ id: `msg_${randomUUID()}`, body });
    this.sending ??= this.sendAll();
  }

  /** Waits up to `milliseconds` for pending events, then drops them. */
  async close(milliseconds: number): Promise<void> {
    await within(milliseconds, Promise.resolve(this.sending));
    this.stopped.abort();
  }

  private async sendAll(): Promise<void> {
    for (let event = this.pending[0]; event !== undefined; event = this.pending[0]) {
      await this.deliver(event);
      this.pending.shift();
    }
    this.dropped = 0;
    this.sending = undefined;
  }

  private async deliver(event: Event): Promise<void> {
    for (let attempt = 1; !this.stopped.signal.aborted; attempt++) {
      const problem = await this.send(event).catch((error: unknown) => messageOf(error));
      if (problem === undefined) return;
      if (attempt === maxAttempts) {
        log(`webhook: ${event.id} was not delivered: ${problem}`);
        return;
      }
      const options = { signal: this.stopped.signal, ref: false };
      await wait(retryMs * 2 ** (attempt - 1), undefined, options).catch(() => undefined);
    }
  }

  /** Sends an event once. Returns why it failed, if it did. */
  private async send({ id, body }: Event): Promise<string | undefined> {
    const settings = this.settings();
    const secret = settings && this.secretOf(settings);
    if (settings === null || typeof secret !== 'string') return undefined;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
    const response = await fetch(settings.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      },
      body,
      // A redirect could send the event elsewhere.
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(attemptMs), this.stopped.signal]),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `HTTP ${response.status}`;
  }

  /** Removes the secret from the environment, which child processes inherit. */
  private secretOf({ secretEnv }: NonNullable<Config['webhook']>): string | undefined {
    const given = this.environment[secretEnv];
    if (given !== undefined && given !== '') this.secrets.set(secretEnv, given);
    Reflect.deleteProperty(this.environment, secretEnv);
    return this.secrets.get(secretEnv);
  }
}
