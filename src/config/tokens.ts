import { createHash, timingSafeEqual } from 'node:crypto';
import { CodegenError } from '../model/errors.js';

/** A token with fewer characters could be guessed. */
const shortest = 32;

interface TokenGrant {
  name: string;
  tokenEnv: string;
}

/** The bearer tokens of grants; only their hashes are kept. */
export interface Tokens {
  /**
   * Takes the grants there are from now on, and the tokens of those that are new out of the environment. Throws
   * CONFIG_INVALID if one has no token that can be used; those before then stay.
   */
  accept(grants: readonly TokenGrant[]): void;
  /** Whether there are grants, or were: taking them all away must not let everybody in. */
  areNeeded(): boolean;
  /** The grant of a token. Takes the same time whether there is one or not. */
  grantOf(token: string): string | undefined;
}

export function createTokens(environment: NodeJS.ProcessEnv): Tokens {
  const hashes = new Map<string, Buffer>();
  let known: { name: string; hash: Buffer }[] = [];
  let areNeeded = false;

  function hashFor({ name, tokenEnv }: TokenGrant, index: number): Buffer {
    const token = environment[tokenEnv];
    const hash = token === undefined ? hashes.get(tokenEnv) : digestOf(checked(token, tokenEnv, index));
    if (hash === undefined)
      throw invalid(index, tokenEnv, `the environment variable with the token of "${name}" is not set`);
    hashes.set(tokenEnv, hash);
    Reflect.deleteProperty(environment, tokenEnv);
    return hash;
  }

  return {
    accept(grants) {
      const next = grants.map((grant, index) => ({ name: grant.name, hash: hashFor(grant, index) }));
      const double = next.findIndex(({ hash }, index) =>
        next.slice(0, index).some((other) => other.hash.equals(hash)),
      );
      if (double !== -1)
        throw invalid(double, grants[double]?.tokenEnv ?? '', 'another grant has the same token');
      known = next;
      areNeeded ||= next.length > 0;
    },

    areNeeded: () => areNeeded,

    grantOf(token) {
      const hash = digestOf(token);
      let found: string | undefined;
      for (const grant of known) if (timingSafeEqual(grant.hash, hash)) found = grant.name;
      return found;
    },
  };
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
