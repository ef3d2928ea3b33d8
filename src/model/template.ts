import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { CodegenError } from './errors.js';
import { isRecord, mapItems, toJson, type Json } from './json.js';

/** Names must be identifiers, because they become part of code. */
const nameSchema = z.string().regex(/^[A-Za-z_]\w*$/);

/** A text with secrets in it. Only `parseTemplates` creates one, from an agent's input: a text of a page can't become one. */
export const templateSchema = z.strictObject({
  $template: z.array(
    z.union([z.string(), z.strictObject({ secret: nameSchema }), z.strictObject({ totp: nameSchema })]),
  ),
});

/** A reference to a secret's value, or to a one-time password computed from it. */
export type Reference = { secret: string } | { totp: string };

// A type alias, not inferred, so that it is assignable to Json.
export type Template = { $template: (string | Reference)[] };

const reference = /\{\{(secret|totp|unique):([A-Za-z_]\w*)\}\}/g;
const beginning = /\{\{(?:secret|totp|unique):/;

/** A placeholder for a template in schemas and URL parsers: valid in a host and a path, and in lower case. */
const placeholder = /xx[\da-f]{16}n(\d+)xx/g;

export function isTemplate(value: unknown): value is Template {
  return isRecord(value) && '$template' in value && templateSchema.safeParse(value).success;
}

/** Whether a text contains a reference to a secret, even a truncated one. */
export function seemsReference(text: string): boolean {
  return beginning.test(text) || text.search(placeholder) !== -1;
}

/** Returns the value of `{{unique:NAME}}` in this run. */
export type Unique = (name: string) => string;

function parseTemplates(value: Json, unique: Unique | undefined): Json {
  // No string contains this key with these quotes.
  if (JSON.stringify(value).includes('"$template":'))
    throw new CodegenError('INVALID_INPUT', 'A key must not be "$template".', { hint: 'Use another key.' });
  return mapJson(
    value,
    (text) => parseText(text, unique),
    (template) => template,
  );
}

function parseText(text: string, unique: Unique | undefined): Json {
  if (!beginning.test(text)) return text;
  const parts: Template['$template'] = [];
  const add = (part: string | Reference): void => {
    const last = parts.at(-1);
    if (typeof part === 'string' && typeof last === 'string') parts.splice(-1, 1, last + part);
    else if (part !== '') parts.push(part);
  };
  let end = 0;
  for (const { 0: whole, 1: kind, 2: name = '', index } of text.matchAll(reference)) {
    add(literalOf(text.slice(end, index)));
    if (kind === 'unique') add(uniqueOf(name, unique));
    else add(kind === 'totp' ? { totp: name } : { secret: name });
    end = index + whole.length;
  }
  add(literalOf(text.slice(end)));
  const [only = ''] = parts;
  return parts.length <= 1 && typeof only === 'string' ? only : { $template: parts };
}

function literalOf(text: string): string {
  if (!beginning.test(text)) return text;
  throw new CodegenError(
    'INVALID_INPUT',
    'A reference must have the form {{secret:NAME}}, {{totp:NAME}} or {{unique:NAME}}.',
    { hint: 'NAME consists of letters, digits and _, without spaces around it.' },
  );
}

function uniqueOf(name: string, unique: Unique | undefined): string {
  if (unique !== undefined) return unique(name);
  throw new CodegenError('INVALID_INPUT', `{{unique:${name}}} is only allowed in the fields of an action.`, {
    hint: 'Remove it here.',
  });
}

/** Replaces `{{unique:NAME}}` in a text such as a target. */
export function resolveUnique(text: string, unique: Unique): string {
  return text.replaceAll(/\{\{unique:([A-Za-z_]\w*)\}\}/g, (_, name: string) => unique(name));
}

/** Turns texts of an agent's input that refer to secrets into templates. Throws INVALID_INPUT. */
export function parseFields(fields: object, unique?: Unique): { [name: string]: Json } {
  return mapFields(toJson(fields), (value) => parseTemplates(value, unique));
}

function mapFields(fields: { [name: string]: Json }, map: (value: Json) => Json): { [name: string]: Json } {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(value)]));
}

/** Replaces the templates in a value by texts. */
export function mapTemplates(value: Json, map: (template: Template) => string): Json {
  return mapJson(value, (text) => text, map);
}

/** Fields as the agent wrote them, for results and messages. */
export function printFields(fields: { [name: string]: Json }): { [name: string]: Json } {
  return mapFields(fields, (value) => mapTemplates(value, printTemplate));
}

export function printReference(part: Reference): string {
  return 'secret' in part ? `{{secret:${part.secret}}}` : `{{totp:${part.totp}}}`;
}

export function secretOf(part: Reference): string {
  return 'secret' in part ? part.secret : part.totp;
}

function printTemplate({ $template }: Template): string {
  return $template.map((part) => (typeof part === 'string' ? part : printReference(part))).join('');
}

export function referencesIn(value: unknown): string[] {
  const names = isTemplate(value)
    ? value.$template.flatMap((part) => (typeof part === 'string' ? [] : [secretOf(part)]))
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(referencesIn)
      : [];
  return [...new Set(names)];
}

export function literalParts(text: string): string[] {
  return text.split(placeholder).filter((_, index) => index % 2 === 0);
}

/** Replaces the secrets in a value with unguessable placeholders, and restores them. */
export class Placeholders {
  private readonly references: Reference[] = [];
  private readonly key = randomBytes(8).toString('hex');

  hide(value: Json): Json {
    return mapTemplates(value, ({ $template }) =>
      $template.map((part) => (typeof part === 'string' ? part : this.add(part))).join(''),
    );
  }

  hideFields(fields: { [name: string]: Json }): { [name: string]: Json } {
    return mapFields(fields, (value) => this.hide(value));
  }

  /** Turns this object's placeholders back into templates. */
  restore<Value>(value: Value): Value;
  restore(value: unknown): unknown {
    if (this.references.length === 0) return value;
    if (typeof value === 'string') return this.restoreText(value);
    return mapItems(value, (item) => this.restore(item));
  }

  private add(part: Reference): string {
    this.references.push(part);
    return `xx${this.key}n${this.references.length - 1}xx`;
  }

  private restoreText(text: string): Json {
    const parts = text.split(new RegExp(`xx${this.key}n(\\d+)xx`)).map((part, index) => {
      return (index % 2 === 1 ? this.references[Number(part)] : undefined) ?? part;
    });
    return parts.length === 1 ? text : { $template: parts.filter((part) => part !== '') };
  }
}

/** Replaces templates by placeholders, for a schema that expects texts. */
export function hideTemplates(fields: { [name: string]: Json }): { [name: string]: Json } {
  return new Placeholders().hideFields(fields);
}

function mapJson(
  value: Json,
  mapText: (text: string) => Json,
  mapTemplate: (template: Template) => Json,
): Json {
  if (typeof value === 'string') return mapText(value);
  if (Array.isArray(value)) return value.map((item) => mapJson(item, mapText, mapTemplate));
  if (typeof value !== 'object' || value === null) return value;
  if (isTemplate(value)) return mapTemplate(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapJson(item, mapText, mapTemplate)]),
  );
}
