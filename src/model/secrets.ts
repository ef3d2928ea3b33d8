import { CodegenError } from './errors.js';
import { nearest } from './nearest.js';
import { escapeRegExp, stringsIn } from './text.js';

/** A secret as the configuration lists it: the name of an environment variable, and where it may go. */
export type SecretRule = string | { name: string; origins: string[] };

/** The secrets of a server. Values are taken from the environment whenever they are needed, and kept in no step. */
export interface Secrets {
  /** The value with every `{{secret:NAME}}` replaced. Throws INVALID_INPUT for what is not listed or not set. */
  reveal: <Value>(value: Value) => Value;
  /** Throws POLICY_DENIED if a secret that a value refers to is bound to other origins than these. */
  requireOrigins: (value: unknown, origins: readonly string[]) => void;
  /** Throws as `requireOrigins` does, for secrets by their names. */
  requireNames: (names: readonly string[], origins: readonly string[]) => void;
  /** Names of the secrets that a value refers to and that are bound to origins. */
  boundIn: (value: unknown) => string[];
  /** The origins that a secret is bound to. */
  originsOf: (name: string) => readonly string[];
  /** A text in which the values of secrets, however encoded, are `{{secret:NAME}}`. */
  redact: (text: string) => string;
  /** The same for all texts of a value; keys stay. */
  redactAll: <Value>(value: Value) => Value;
  /** The parts of its texts that are the value of a secret. */
  foundIn: (value: unknown) => string[];
  /** The variables that are set, for a process that runs tests. */
  environment: () => Record<string, string>;
}

/** With names that are identifiers alone, so that they can stand in code. */
const reference = /\{\{secret:([A-Za-z_]\w*)\}\}/g;
const beginning = '{{secret:';

/** Minimum length of a value: a shorter one occurs in texts by chance. */
const shortest = 4;

/** Names of the secrets that a value refers to, each once. */
export function referencesIn(value: unknown): string[] {
  const texts = stringsIn(value);
  return [...new Set(texts.flatMap((text) => [...text.matchAll(reference)].map(([, name = '']) => name)))];
}

/** Splits a text into literal parts and names of secrets, alternating, starting with a literal part. */
export function splitReferences(text: string): string[] {
  return text.split(reference);
}

/** Whether a text looks like a reference to a secret, even a truncated one. */
export function seemsReference(text: string): boolean {
  return text.includes(beginning);
}

/** `configured` are the rules of now; what was listed once stays out of texts for as long as the process lives. */
export function createSecrets(
  configured: () => readonly SecretRule[],
  environment: Readonly<Record<string, string | undefined>>,
): Secrets {
  const names = new Map<string, string>();
  let searched = 0;
  let search: { pattern: RegExp; names: ReadonlyMap<string, string> } | undefined;

  const rules = (): { name: string; origins?: string[] }[] =>
    configured().map((rule) => (typeof rule === 'string' ? { name: rule } : rule));

  function searchOfNow(): typeof search {
    for (const { name } of rules()) {
      const value = environment[name] ?? '';
      if (value.length >= shortest && !names.has(value)) names.set(value, name);
    }
    if (names.size !== searched) search = searchFor(names);
    searched = names.size;
    return search;
  }

  function valueOf(name: string): string {
    const listed = rules().map((rule) => rule.name);
    if (!listed.includes(name)) {
      const guess = nearest(name, listed);
      throw new CodegenError(
        'INVALID_INPUT',
        `There is no secret ${JSON.stringify(name)}${guess === undefined ? '' : `; did you mean ${guess}?`}`,
        {
          hint: `\`secrets\` in the configuration lists ${listed.join(', ') || 'none'}; ask the person who runs this server to add it.`,
        },
      );
    }
    const value = environment[name] ?? '';
    if (value === '')
      throw new CodegenError('INVALID_INPUT', `The secret ${name} is not set.`, {
        hint: `Ask the person who runs this server to start it with the environment variable ${name}.`,
      });
    if (value.length < shortest)
      throw new CodegenError('INVALID_INPUT', `The secret ${name} is too short to be kept secret.`, {
        hint: `Shorter than ${shortest} characters, it would be found in texts by chance. Use a longer one.`,
      });
    return value;
  }

  const originsOf = (name: string): string[] | undefined =>
    rules().find((rule) => rule.name === name)?.origins;

  function requireNames(names: readonly string[], origins: readonly string[]): void {
    for (const name of names) {
      const allowed = originsOf(name);
      const other = allowed && origins.find((origin) => !allowed.includes(origin));
      if (allowed !== undefined && other !== undefined)
        throw new CodegenError('POLICY_DENIED', `The secret ${name} is not for ${other}.`, {
          hint: `It is bound to ${allowed.join(', ')}; nothing was typed or sent.`,
        });
    }
  }

  function redact(text: string): string {
    const now = searchOfNow();
    if (now === undefined) return text;
    const whole = text.replace(now.pattern, (found) => `{{secret:${now.names.get(found) ?? ''}}}`);
    return [...names].reduce((rest, [value, name]) => withoutEnds(rest, value, `{{secret:${name}}}`), whole);
  }

  function revealIn(text: string): string {
    if (seemsReference(text.replace(reference, '')))
      throw new CodegenError('INVALID_INPUT', 'A reference to a secret is not of the form {{secret:NAME}}.', {
        hint: 'NAME is one of `secrets` in the configuration, without spaces around it.',
      });
    return text.replace(reference, (_, name: string) => valueOf(name));
  }

  return {
    reveal(value) {
      searchOfNow();
      return mapTexts(value, revealIn);
    },

    requireOrigins(value, origins) {
      requireNames(referencesIn(value), origins);
    },
    requireNames,
    boundIn: (value) => referencesIn(value).filter((name) => originsOf(name) !== undefined),
    originsOf: (name) => originsOf(name) ?? [],

    redact,
    redactAll: (value) => mapTexts(value, redact),
    foundIn(value) {
      const { pattern } = searchOfNow() ?? {};
      return pattern === undefined ? [] : stringsIn(value).flatMap((text) => text.match(pattern) ?? []);
    },

    environment: () =>
      Object.fromEntries(
        rules().flatMap(({ name }) => {
          const value = environment[name];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
  };
}

/** One expression for all forms of all values, the longest first, and the name that each form stands for. */
function searchFor(names: ReadonlyMap<string, string>): {
  pattern: RegExp;
  names: ReadonlyMap<string, string>;
} {
  const forms = new Map<string, string>();
  for (const [value, name] of names) for (const form of formsOf(value)) forms.set(form, name);
  const longestFirst = [...forms.keys()].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(longestFirst.map(escapeRegExp).join('|'), 'g');
  return { pattern, names: forms };
}

/** Characters that the beginning or the end of a value has at least to be redacted by itself. */
const shortestEnd = 6;

/** Redacts where a text ends in the beginning of a value, or begins with its end: what is left of it where it was cut. */
function withoutEnds(text: string, value: string, replacement: string): string {
  const most = Math.min(value.length - 1, text.length);
  const lengths = Array.from({ length: Math.max(0, most - shortestEnd + 1) }, (_, index) => most - index);
  const cut = /…?["'”]?$/.exec(text)?.[0] ?? '';
  const body = text.slice(0, text.length - cut.length);
  const atEnd = lengths.find((length) => body.endsWith(value.slice(0, length)));
  const kept = atEnd === undefined ? text : body.slice(0, body.length - atEnd) + replacement + cut;
  const atStart = lengths.find((length) => kept.startsWith(value.slice(-length)));
  return atStart === undefined ? kept : replacement + kept.slice(atStart);
}

/** A value as texts hold it: as it is, and as JSON, HTML, YAML, source, URLs and base64 have it. */
function formsOf(value: string): Set<string> {
  // As a page shows it.
  const plain = [value, value.trim().replace(/\s+/g, ' '), ...linesOf(value)];
  const spelled = plain.flatMap((text) => {
    const json = jsonOf(text);
    return [
      text,
      json,
      jsonOf(json),
      asciiOf(json),
      htmlOf(text),
      text.replaceAll("'", "''"),
      sourceOf(text),
      escapeRegExp(text),
    ];
  });
  const url = encodeURIComponent(value);
  const strict = url.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const base64 = base64Of(value);
  const urls = [
    url,
    strict,
    strict.replaceAll('%20', '+'),
    new URLSearchParams({ q: value }).toString().slice(2),
    encodeURI(value),
    ...base64.map(encodeURIComponent),
  ];
  const lower = urls.map((text) => text.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()));
  return new Set([...spelled, ...urls, ...lower, ...base64].filter((form) => form.length >= shortest));
}

/** The lines of a value of several, e.g. of a private key, that are no title such as `-----BEGIN PRIVATE KEY-----`. */
function linesOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  return lines.length === 1
    ? []
    : lines.filter((line) => line.length >= shortestEnd && !line.startsWith('--'));
}

function jsonOf(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function asciiOf(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function sourceOf(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}

function htmlOf(text: string): string {
  const entities: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' };
  return text.replace(/[&<>"']/g, (sign) => `&${entities[sign] ?? ''};`);
}

/** Base64 of a value, and what is certain of it in the base64 of a text that holds it, e.g. `user:password`. */
function base64Of(value: string): string[] {
  return [Buffer.from(value), Buffer.from(value, 'latin1')]
    .flatMap((bytes) => [
      bytes.toString('base64'),
      ...[0, 1, 2].map((before) => {
        const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
        const certain = Math.floor(((before + bytes.length) * 8) / 6);
        return encoded.slice(Math.ceil((before * 8) / 6), certain);
      }),
    ])
    .flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}

function mapTexts<Value>(value: Value, map: (text: string) => string): Value;
function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((item: unknown) => mapTexts(item, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts<unknown>(item, map)]));
}
