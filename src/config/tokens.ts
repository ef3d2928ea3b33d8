import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import { isInside } from '../model/paths.js';
import type { TokenHolder } from './token-conflicts.js';

/** A token with fewer characters could be guessed. */
const shortest = 32;

type HolderList = 'grants' | 'ui.operators';

/** Identifies the callers of an HTTP server, and the operators of its page. */
export interface CallerCheck {
  /** Whether the grants in the configuration have tokens that identify the caller. */
  readonly areNeeded: boolean;
  /** Takes the grants and operators of a new configuration. */
  accept(grants: readonly TokenHolder[], operators: readonly TokenHolder[]): void;
  /** The grant of a token, which may be empty; undefined if it is rejected. */
  grantOf(token: string): string | undefined;
  /** The operator of a token; a grant's token is none. */
  operatorOf(token: string): string | undefined;
}

/** One token for one caller, whatever grants are configured. */
export class OneToken implements CallerCheck {
  readonly areNeeded = false;
  private readonly hash: Buffer;

  constructor(
    token: string,
    private readonly grant: string,
  ) {
    this.hash = digestOf(token);
  }

  accept(grants: readonly TokenHolder[], operators: readonly TokenHolder[]): void {
    forgetTokens([...grants, ...operators], process.env);
  }

  grantOf(token: string): string | undefined {
    return timingSafeEqual(this.hash, digestOf(token)) ? this.grant : undefined;
  }

  operatorOf(): undefined {
    return undefined;
  }
}

/** The tokens of grants and operators; only their hashes are kept. Without grants, every caller is `local`. */
export class Tokens implements CallerCheck {
  private readonly hashes = new Map<string, Buffer>();
  private known: { list: HolderList; name: string; hash: Buffer }[] = [];
  private wereNeeded = false;

  constructor(
    private readonly environment: NodeJS.ProcessEnv,
    private readonly workspace: string,
    private readonly local?: string,
  ) {}

  /** Whether there are or were grants: removing all of them must not let anyone in. */
  get areNeeded(): boolean {
    return this.wereNeeded;
  }

  /**
   * Replaces the grants and operators, and moves the tokens of new ones out of the environment. Throws CONFIG_INVALID if
   * a token can't be used; the previous ones then stay.
   */
  accept(grants: readonly TokenHolder[], operators: readonly TokenHolder[] = []): void {
    const sources = [
      ...grants.map((holder, index) => sourceOf('grants', holder, index)),
      ...operators.map((holder, index) => sourceOf('ui.operators', holder, index)),
    ];
    const next = sources.map((source) => ({ ...source, hash: this.hashFor(source) }));
    const double = next.find(({ hash }, index) =>
      next.slice(0, index).some((other) => other.hash.equals(hash)),
    );
    if (double !== undefined) throw invalid(double, 'another grant or operator has the same token');
    this.known = next.map(({ list, holder: { name }, hash }) => ({ list, name, hash }));
    this.wereNeeded ||= grants.length > 0;
  }

  /** Takes the same time if no grant has the token. */
  grantOf(token: string): string | undefined {
    return this.areNeeded ? this.holderOf('grants', token) : this.local;
  }

  operatorOf(token: string): string | undefined {
    return this.holderOf('ui.operators', token);
  }

  private holderOf(wanted: HolderList, token: string): string | undefined {
    const given = digestOf(token);
    let found: string | undefined;
    for (const { list, name, hash } of this.known)
      if (timingSafeEqual(hash, given) && list === wanted) found = name;
    return found;
  }

  private hashFor(source: TokenSource): Buffer {
    const { name, tokenEnv, tokenFile } = source.holder;
    if (tokenFile !== undefined) return digestOf(checked(this.read(tokenFile, source), source));
    const variable = tokenEnv ?? '';
    const token = this.environment[variable];
    const hash = token === undefined ? this.hashes.get(variable) : digestOf(checked(token, source));
    if (hash === undefined)
      throw invalid(source, `the environment variable with the token of "${name}" is not set`);
    this.hashes.set(variable, hash);
    Reflect.deleteProperty(this.environment, variable);
    return hash;
  }

  private read(file: string, source: TokenSource): string {
    // An agent may upload files of the workspace to a page.
    if (isInside(this.workspace, file)) throw invalid(source, 'the file must be outside the workspace');
    try {
      if (process.platform !== 'win32' && (statSync(file).mode & 0o004) !== 0)
        log(`${file} with a token can be read by every user of this machine.`);
      return readFileSync(file, 'utf8').trim();
    } catch (error) {
      throw invalid(source, `the file can't be read: ${messageOf(error)}`);
    }
  }
}

/** Where a token is configured. */
interface TokenSource {
  list: HolderList;
  holder: TokenHolder;
  key: string;
  value: string;
}

function sourceOf(list: HolderList, holder: TokenHolder, index: number): TokenSource {
  const { tokenEnv, tokenFile } = holder;
  const key = `${list}.${index}.${tokenFile === undefined ? 'tokenEnv' : 'tokenFile'}`;
  return { list, holder, key, value: tokenFile ?? tokenEnv ?? '' };
}

/** Removes tokens from the environment, which the processes that this one starts inherit. */
export function forgetTokens(holders: readonly TokenHolder[], environment: NodeJS.ProcessEnv): void {
  for (const { tokenEnv } of holders)
    if (tokenEnv !== undefined) Reflect.deleteProperty(environment, tokenEnv);
}

/** A token that consists of the characters that RFC 6750 allows. */
function checked(token: string, source: TokenSource): string {
  if (token === '') throw invalid(source, 'the token is empty');
  if (!/^[\w.~+/-]+=*$/.test(token))
    throw invalid(source, 'the token contains characters other than letters, digits and -._~+/');
  if (token.length < shortest)
    log(`the token in ${source.value} has fewer than ${shortest} characters, so it could be guessed.`);
  return token;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function invalid({ key, value }: Pick<TokenSource, 'key' | 'value'>, what: string): CodegenError {
  return new CodegenError('CONFIG_INVALID', `${key} is "${value}": ${what}`, {
    hint: 'Create a token with `openssl rand -hex 32`, and start the server with it in that variable or file.',
  });
}
