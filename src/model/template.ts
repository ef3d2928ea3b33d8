import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { CodegenError } from './errors.js';
import { toJson, type Json } from './json.js';

/**
 * A text with secrets in it. Only `parseTemplates` makes one, of what an agent gave: no text of a page, and no URL that is
 * decoded later, can become one.
 */
export const templateSchema = z.strictObject({
  $template: z.array(z.union([z.string(), z.strictObject({ secret: z.string().regex(/^[A-Za-z_]\w*$/) })])),
});

// Not inferred: a type alias is assignable to Json.
export type Template = { $template: (string | { secret: string })[] };

/** With names that are identifiers alone, so that they can stand in code. */
const reference = /\{\{secret:([A-Za-z_]\w*)\}\}/g;
const beginning = '{{secret:';

/** Stands for a template while a schema or URL parser takes it for a text: a host, a path and lower case keep it. */
const placeholder = /xx[\da-f]{16}n(\d+)xx/g;

export function isTemplate(value: unknown): value is Template {
  return (
    typeof value === 'object' &&
    value !== null &&
    '$template' in value &&
    templateSchema.safeParse(value).success
  );
}

/** Whether a text has a reference to a secret in it, even a truncated one. */
export function seemsReference(text: string): boolean {
  return text.includes(beginning) || text.search(placeholder) !== -1;
}

function parseTemplates(value: Json): Json {
  // No string contains this key with these quotes.
  if (JSON.stringify(value).includes('"$template":'))
    throw new CodegenError('INVALID_INPUT', 'A key must not be "$template".', { hint: 'Use another key.' });
  return mapJson(value, parseText, (template) => template);
}

function parseText(text: string): Json {
  if (!text.includes(beginning)) return text;
  const parts = text.split(reference).map((part, index) => (index % 2 === 1 ? { secret: part } : part));
  if (parts.some((part) => typeof part === 'string' && part.includes(beginning)))
    throw new CodegenError('INVALID_INPUT', 'A reference to a secret must have the form {{secret:NAME}}.', {
      hint: 'NAME is one of `secrets` in the configuration, without spaces around it.',
    });
  return { $template: parts.filter((part) => part !== '') };
}

/** What an agent gave, with templates for the texts that refer to secrets. Throws INVALID_INPUT. */
export function parseFields(fields: object): { [name: string]: Json } {
  return mapFields(toJson(fields), parseTemplates);
}

function mapFields(fields: { [name: string]: Json }, map: (value: Json) => Json): { [name: string]: Json } {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(value)]));
}

/** A value with texts in place of its templates. */
export function mapTemplates(value: Json, map: (template: Template) => string): Json {
  return mapJson(value, (text) => text, map);
}

/** Fields as the agent gave them, for results and messages. */
export function printFields(fields: { [name: string]: Json }): { [name: string]: Json } {
  return mapFields(fields, (value) => mapTemplates(value, printTemplate));
}

function printTemplate({ $template }: Template): string {
  return $template.map((part) => (typeof part === 'string' ? part : `${beginning}${part.secret}}}`)).join('');
}

/** Names of the secrets that a value refers to, each once. */
export function referencesIn(value: unknown): string[] {
  if (isTemplate(value))
    return [...new Set(value.$template.flatMap((part) => (typeof part === 'string' ? [] : [part.secret])))];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(referencesIn))];
}

/** The literal parts of a text with placeholders. */
export function literalParts(text: string): string[] {
  return text.split(placeholder).filter((_, index) => index % 2 === 0);
}

/** Hides the secrets of a value behind placeholders that nobody can guess, and puts them back. */
export class Placeholders {
  private readonly names: string[] = [];
  private readonly key = randomBytes(8).toString('hex');

  hide(value: Json): Json {
    return mapTemplates(value, ({ $template }) =>
      $template.map((part) => (typeof part === 'string' ? part : this.add(part.secret))).join(''),
    );
  }

  hideFields(fields: { [name: string]: Json }): { [name: string]: Json } {
    return mapFields(fields, (value) => this.hide(value));
  }

  /** A value in which placeholders of this object are templates again. */
  restore<Value>(value: Value): Value;
  restore(value: unknown): unknown {
    if (this.names.length === 0) return value;
    if (typeof value === 'string') return this.restoreText(value);
    if (Array.isArray(value)) return value.map((item: unknown) => this.restore(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.restore<unknown>(item)]));
  }

  private add(name: string): string {
    this.names.push(name);
    return `xx${this.key}n${this.names.length - 1}xx`;
  }

  private restoreText(text: string): Json {
    const parts = text.split(new RegExp(`xx${this.key}n(\\d+)xx`)).map((part, index) => {
      const secret = index % 2 === 1 ? this.names[Number(part)] : undefined;
      return secret === undefined ? part : { secret };
    });
    return parts.length === 1 ? text : { $template: parts.filter((part) => part !== '') };
  }
}

/** Fields for a schema that expects texts. */
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
