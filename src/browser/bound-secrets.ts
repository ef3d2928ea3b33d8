import type { Request } from 'playwright';
import { CodegenError } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import type { NetworkRules } from '../network/rules.js';
import { originOfFrame, requestFrame, urlOf } from './origin.js';

/** Requests whose answer is only data: it can't act in its page. */
const dataTypes = new Set(['xhr', 'fetch', 'eventsource', 'image', 'media', 'font', 'texttrack']);

/** Follows the secrets of a session that are bound to origins, so that no later step takes them elsewhere. */
export class BoundSecrets {
  /** Names of the secrets that a page was given. */
  private readonly delivered = new Set<string>();
  /** The origins that were given one, and those that a `route` has answered for. */
  private readonly trusted = new Set<string>();
  private readonly imitated = new Set<string>();
  /** Hosts with a cookie that contains one: browsers send it to every port of the host. */
  private hosts: NonNullable<NetworkRules['hosts']> = [];
  private composed: { configured: NetworkRules; rules: NetworkRules } | undefined;

  /** `hasProxy` says whether all connections of the session obey `rules`. */
  constructor(
    private readonly secrets: Secrets,
    private readonly hasProxy: boolean,
  ) {}

  /** Call before a page or server gets what a value refers to. Throws POLICY_DENIED if it must not. */
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

  /** Whether a `route` may answer a request: not with code for an origin that has a bound secret. */
  mayAnswer(request: Request): boolean {
    if (dataTypes.has(request.resourceType())) return true;
    const frame = request.isNavigationRequest() ? undefined : requestFrame(request);
    const origin = frame === undefined ? urlOf(request).origin : originOfFrame(frame);
    if (this.trusted.has(origin)) return false;
    this.imitated.add(origin);
    return true;
  }

  /** The clipboard may hold whatever was given to a page. Throws POLICY_DENIED if the origin must not get that. */
  requirePaste(origin: string): void {
    this.secrets.requireNames([...this.delivered], [origin]);
  }

  /** Call before a host gets a cookie that contains secrets of these names. */
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

  /** The rules of the network, and that no other port of a host gets its cookies. */
  rules(configured: NetworkRules): NetworkRules {
    if (this.hosts.length === 0) return configured;
    if (this.composed?.configured !== configured)
      this.composed = { configured, rules: { ...configured, hosts: this.hosts } };
    return this.composed.rules;
  }
}
