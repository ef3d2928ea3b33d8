import { randomBytes } from 'node:crypto';
import { sha256 } from '../model/text.js';
import type { Person } from './shapes.js';

/** Milliseconds without a request after which a login ends. */
const idleMs = 12 * 3_600_000;
/** Logins of one person that are kept, the latest ones. */
const maxLogins = 20;
/** Failed attempts to log in within a minute. */
const maxFailures = 10;

export interface Login {
  person: Person;
  /** Hash of the key that every request carries besides the cookie. */
  key: string;
  usedAt: number;
  /** Open streams. */
  streams: number;
  isValid: () => boolean;
}

/** Who is logged in. Only hashes of cookies and keys are kept. */
export class Logins {
  private readonly logins = new Map<string, Login>();
  private failures: number[] = [];

  constructor(private readonly isKnown: (person: Person) => boolean) {}

  /** A cookie and the key that only pages of this origin can read: cookies are shared by all ports of a host. */
  create(person: Person): { cookie: string; key: string } {
    const [cookie, key] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
    const hash = sha256(cookie);
    const login: Login = {
      person,
      key: sha256(key),
      usedAt: Date.now(),
      streams: 0,
      isValid: () =>
        this.logins.get(hash) === login && Date.now() - login.usedAt < idleMs && this.isKnown(person),
    };
    this.logins.set(hash, login);
    const own = [...this.logins].filter(([, each]) => each.person.name === person.name);
    for (const [oldest] of own.slice(0, -maxLogins)) this.logins.delete(oldest);
    return { cookie, key };
  }

  find(cookie: string | undefined, key: string | undefined): Login | undefined {
    if (cookie === undefined || key === undefined) return undefined;
    const login = this.logins.get(sha256(cookie));
    if (login === undefined || login.key !== sha256(key) || !login.isValid()) return undefined;
    login.usedAt = Date.now();
    return login;
  }

  end(cookie: string | undefined): void {
    if (cookie !== undefined) this.logins.delete(sha256(cookie));
  }

  /** Whether too many attempts to log in have failed. */
  isBlocked(): boolean {
    this.failures = this.failures.filter((at) => Date.now() - at < 60_000);
    return this.failures.length >= maxFailures;
  }

  noteFailure(): void {
    this.failures.push(Date.now());
  }
}
