import { CodegenError } from './errors.js';
import { mapItems, type Json } from './json.js';
import { didYouMean } from './nearest.js';
import { PageText } from './page-text.js';
import { minValue, SecretSearch, type Found } from './secret-forms.js';
import {
  isTemplate,
  mapTemplates,
  printReference,
  referencesIn,
  type Reference,
  type Template,
} from './template.js';
import type { OneTimePasswords } from './totp.js';
import { stringsIn } from './text.js';

/** The name of an environment variable, and the only origins that may receive its value. */
export type SecretRule = string | { name: string; origins: string[] };

const totpPrefix = 'totp:';

/** The secrets of a server. Values are read from the environment when needed, and never stored in a step. */
export class Secrets {
  /** Names by value. A secret that was once configured is redacted until the process exits. */
  private readonly names = new Map<string, string>();
  private latest: SecretSearch | undefined;
  private passwords: OneTimePasswords | undefined;

  /** `configured` returns the current rules. */
  constructor(
    private readonly configured: () => readonly SecretRule[],
    private readonly variables: Readonly<Record<string, string | undefined>>,
  ) {}

  /** Replaces templates by their texts. Throws INVALID_INPUT for a secret that is not configured or not set. */
  reveal(value: Json): Json {
    // Redact these values from now on.
    this.search();
    return mapTemplates(value, ({ $template }) =>
      $template.map((part) => (typeof part === 'string' ? part : this.resolve(part))).join(''),
    );
  }

  /** Must be called before a value with one-time passwords is revealed. */
  async load(value: unknown): Promise<void> {
    if (!JSON.stringify(value).includes('"totp":')) return;
    this.passwords ??= new (await import('./totp.js')).OneTimePasswords();
  }

  /** Throws POLICY_DENIED if a secret that a value refers to is bound to other origins than these. */
  requireOrigins(value: unknown, origins: readonly string[]): void {
    this.requireNames(referencesIn(value), origins);
  }

  /** Like `requireOrigins`, for names of secrets. */
  requireNames(names: readonly string[], origins: readonly string[]): void {
    for (const name of names) {
      const allowed = this.bindingOf(name);
      const other = allowed && origins.find((origin) => !allowed.includes(origin));
      if (allowed !== undefined && other !== undefined)
        throw new CodegenError('POLICY_DENIED', `The secret ${name} is not allowed on ${other}.`, {
          hint: `It is bound to ${allowed.join(', ')}; nothing was typed or sent. Frames of other origins could take the focus from the field: block them in network.blockedOrigins.`,
        });
    }
  }

  /** Names of the secrets that a value refers to and that are bound to origins. */
  boundIn(value: unknown): string[] {
    return referencesIn(value).filter((name) => this.bindingOf(name) !== undefined);
  }

  originsOf(name: string): readonly string[] {
    return this.bindingOf(name) ?? [];
  }

  /** Replaces the values of secrets, however encoded or cut off, by `{{secret:NAME}}`. */
  redact(text: string): string {
    const found = this.search()?.all(text) ?? [];
    return split(text, found)
      .map((part) => (typeof part === 'string' ? part : printReference(part)))
      .join('');
  }

  /** Redacts all texts of a value, but not its keys. */
  redactAll<Value>(value: Value): Value {
    return mapTexts(value, (text) => this.redact(text));
  }

  /** Turns a text of a page that contains secrets into a template, for a step. */
  conceal(text: string): string | Template {
    const found = this.search()?.wholes(text) ?? [];
    return found.length === 0 ? this.redact(text) : { $template: split(text, found) };
  }

  /** The values of secrets in the texts of a value. */
  foundIn(value: unknown): string[] {
    const search = this.search();
    return stringsIn(value).flatMap((text) =>
      (search?.wholes(text) ?? []).map(({ start, end }) => text.slice(start, end)),
    );
  }

  /** The values that are known, in lower case. */
  knownValues(): string[] {
    this.search();
    return [...this.names.keys()].map((value) => value.toLowerCase());
  }

  /** Names of the secrets whose values are in a file, except for short words, which occur in any source. */
  leaksIn(data: Buffer | string): string[] {
    const search = this.search();
    const texts = typeof data === 'string' ? [data] : [data.toString('utf8'), data.toString('latin1')];
    const found = texts.flatMap((text) => search?.distinct(text) ?? []);
    return [...new Set(found.map(({ name }) => name))];
  }

  /** The environment variables of the secrets, for a process that runs tests. */
  environment(): Record<string, string> {
    return Object.fromEntries(
      this.rules().flatMap(({ name }) => {
        const value = this.variables[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }

  private rules(): { name: string; origins?: string[] }[] {
    return this.configured().map((rule) => (typeof rule === 'string' ? { name: rule } : rule));
  }

  private bindingOf(name: string): string[] | undefined {
    return this.rules().find((rule) => rule.name === name)?.origins;
  }

  private resolve(part: Reference): string {
    if ('secret' in part) return this.valueOf(part.secret);
    const seed = this.valueOf(part.totp);
    if (this.passwords === undefined)
      throw new CodegenError(
        'INVALID_INPUT',
        `${printReference(part)} is only allowed in fields of an action.`,
        { hint: 'Remove it here.' },
      );
    const { code, expired } = this.passwords.current(part.totp, seed);
    if (expired !== undefined) this.names.delete(expired);
    this.names.set(code, totpPrefix + part.totp);
    this.latest = new SecretSearch(this.names);
    return code;
  }

  private search(): SecretSearch | undefined {
    const before = this.names.size;
    for (const { name } of this.rules()) {
      const value = this.variables[name] ?? '';
      if (value.length >= minValue && !this.names.has(value)) this.names.set(value, name);
    }
    if (this.names.size !== before) this.latest = new SecretSearch(this.names);
    return this.latest;
  }

  private valueOf(name: string): string {
    const listed = this.rules().map((rule) => rule.name);
    if (!listed.includes(name))
      throw new CodegenError('INVALID_INPUT', `There is no secret "${name}"${didYouMean(name, listed)}`, {
        hint: `\`secrets\` in the configuration lists ${listed.join(', ') || 'none'}; ask the operator to add it.`,
      });
    const value = this.variables[name] ?? '';
    if (value === '')
      throw new CodegenError('INVALID_INPUT', `The secret ${name} is not set.`, {
        hint: `Ask the operator to start the server with the environment variable ${name}.`,
      });
    if (value.length < minValue)
      throw new CodegenError('INVALID_INPUT', `The secret ${name} is too short to be redacted reliably.`, {
        hint: `A secret with fewer than ${minValue} characters would match unrelated text. Use a longer one.`,
      });
    return value;
  }
}

/** Splits a text at the secrets that were found in it. */
function split(text: string, found: readonly Found[]): (string | Reference)[] {
  let at = 0;
  const parts = found.flatMap(({ start, end, name }) => {
    const before = text.slice(at, start);
    at = end;
    return [before, name.startsWith(totpPrefix) ? { totp: name.slice(totpPrefix.length) } : { secret: name }];
  });
  return [...parts, text.slice(at)].filter((part) => part !== '');
}

function mapTexts<Value>(value: Value, map: (text: string) => string): Value;
function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (isTemplate(value)) return value;
  if (typeof value === 'string') return map(value);
  if (value instanceof PageText) return value.map(map);
  return mapItems(value, (item) => mapTexts(item, map));
}
