import { createHash, timingSafeEqual } from 'node:crypto';
import { CodegenError } from '../model/errors.js';

/** A token with fewer characters could be guessed. */
const shortest = 32;

interface TokenGrant {
  name: string;
  tokenEnv: string;
}

/** The bearer tokens of grants; only their hashes are kept. */
export class Tokens {
  private readonly hashes = new Map<string, Buffer>();
  private known: { name: string; hash: Buffer }[] = [];
  private wereNeeded = false;

  constructor(private readonly environment: NodeJS.ProcessEnv) {}

  /** Whether there are or were grants: removing all of them must not let anyone in. */
  get areNeeded(): boolean {
    return this.wereNeeded;
  }

  /**
   * Replaces the grants, and moves the tokens of new ones out of the environment. Throws CONFIG_INVALID if a token can't
   * be used; the previous grants then stay.
   */
  accept(grants: readonly TokenGrant[]): void {
    const next = grants.map((grant, index) => ({ name: grant.name, hash: this.hashFor(grant, index) }));
    const double = next.findIndex(({ hash }, index) =>
      next.slice(0, index).some((other) => other.hash.equals(hash)),
    );
    if (double !== -1)
      throw invalid(double, grants[double]?.tokenEnv ?? '', 'another grant has the same token');
    this.known = next;
    this.wereNeeded ||= next.length > 0;
  }

  /** The grant of a token. Takes the same time if there is none. */
  grantOf(token: string): string | undefined {
    const hash = digestOf(token);
    let found: string | undefined;
    for (const grant of this.known) if (timingSafeEqual(grant.hash, hash)) found = grant.name;
    return found;
  }

  private hashFor({ name, tokenEnv }: TokenGrant, index: number): Buffer {
    const token = this.environment[tokenEnv];
    const hash = token === undefined ? this.hashes.get(tokenEnv) : digestOf(checked(token, tokenEnv, index));
    if (hash === undefined)
      throw invalid(index, tokenEnv, `the environment variable with the token of "${name}" is not set`);
    this.hashes.set(tokenEnv, hash);
    Reflect.deleteProperty(this.environment, tokenEnv);
    return hash;
  }
}

/** Keeps tokens from the processes that this one starts. */
export function forgetTokens(grants: readonly TokenGrant[], environment: NodeJS.ProcessEnv): void {
  for (const { tokenEnv } of grants) Reflect.deleteProperty(environment, tokenEnv);
}

/** A token that can stand in a header, as RFC 6750 has it. */
function checked(token: string, tokenEnv: string, index: number): string {
  if (token === '') throw invalid(index, tokenEnv, 'the token is empty');
  if (!/^[\w.~+/-]+=*$/.test(token))
    throw invalid(index, tokenEnv, 'the token holds other characters than letters, digits and -._~+/');
  if (token.length < shortest)
    process.stderr.write(
      `codegen-session-mcp: the token in ${tokenEnv} has fewer than ${shortest} characters, so it could be guessed.\n`,
    );
  return token;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function invalid(index: number, tokenEnv: string, what: string): CodegenError {
  return new CodegenError('CONFIG_INVALID', `grants.${index}.tokenEnv is "${tokenEnv}": ${what}`, {
    hint: 'Start the server with a token in that variable, such as one that `openssl rand -hex 32` makes.',
  });
}
