import type { Request } from 'playwright';
import { CodegenError } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import type { NetworkRules } from '../network/rules.js';
import { originOfFrame, requestFrame, urlOf } from './origin.js';

/** Resource types whose responses contain only data and can't run code. */
const dataTypes = new Set(['xhr', 'fetch', 'eventsource', 'image', 'media', 'font', 'texttrack']);

/** Tracks a session's origin-bound secrets, so that no later step sends them to other origins. */
export class BoundSecrets {
  /** Names of the secrets that were entered into a page. */
  private readonly delivered = new Set<string>();
  /** The origins that received a secret, and those for which a `route` has answered. */
  private readonly trusted = new Set<string>();
  private readonly imitated = new Set<string>();
  /** Hosts with a cookie that contains a secret: browsers send it to every port of the host. */
  private hosts: NonNullable<NetworkRules['hosts']> = [];
  private composed: { configured: NetworkRules; rules: NetworkRules } | undefined;

  /** `hasProxy`: whether `rules` apply to all connections of the session. */
  constructor(
    private readonly secrets: Secrets,
    private readonly hasProxy: boolean,
  ) {}

  /** Call before a page or server receives the secrets in a value. Throws POLICY_DENIED if it must not receive them. */
  deliver(value: unknown, origins: readonly string[]): void {
    this.secrets.requireOrigins(value, origins);
    const names = this.secrets.boundIn(value);
    const imitated = origins.find((origin) => this.imitated.has(origin));
    if (names.length > 0 && imitated !== undefined)
      throw new CodegenError('POLICY_DENIED', `A route of this session fulfils requests to ${imitated}.`, {
        hint: `${names.join(', ')} is bound to origins, so their real documents and scripts must load. Start another session without the route.`,
      });
    for (const name of names) this.delivered.add(name);
    if (names.length > 0) for (const origin of origins) this.trusted.add(origin);
  }

  /** Whether a `route` may answer a request: it must not send code to an origin that received a bound secret. */
  mayAnswer(request: Request): boolean {
    if (dataTypes.has(request.resourceType())) return true;
    const frame = request.isNavigationRequest() ? undefined : requestFrame(request);
    const origin = frame === undefined ? urlOf(request).origin : originOfFrame(frame);
    if (this.trusted.has(origin)) return false;
    this.imitated.add(origin);
    return true;
  }

  /** The clipboard may contain any secret that was entered. Throws POLICY_DENIED if the origin must not receive it. */
  requirePaste(origin: string): void {
    this.secrets.requireNames([...this.delivered], [origin]);
  }

  /** Call before setting a host's cookie that contains the named secrets. */
  setCookies(host: string, names: readonly string[]): void {
    if (names.length === 0) return;
    if (!this.hasProxy)
      throw new CodegenError(
        'POLICY_DENIED',
        'A cookie must not contain a secret that is bound to origins.',
        {
          hint: 'Browsers send cookies to every port of a host. Use a browser on this machine, where the server prevents that.',
        },
      );
    const added = names.map((secret) => ({ host, origins: this.secrets.originsOf(secret), secret }));
    this.hosts = [...this.hosts, ...added];
    this.composed = undefined;
  }

  /** The network rules, extended so that cookies with secrets are not sent to other ports of their host. */
  rules(configured: NetworkRules): NetworkRules {
    if (this.hosts.length === 0) return configured;
    if (this.composed?.configured !== configured)
      this.composed = { configured, rules: { ...configured, hosts: this.hosts } };
    return this.composed.rules;
  }
}
