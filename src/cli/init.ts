import { writeFile } from 'node:fs/promises';
import { configJsonSchema } from '../config/json-schema.js';
import { configFileOf, type ConfigLocation } from '../config/load.js';
import { CodegenError, messageOf } from '../model/errors.js';

const schemaPath = './node_modules/codegen-session-mcp/schema/codegen.config.schema.json';

/**
 * Writes a configuration in which every key has its default and a comment, never over an existing file, and returns
 * a message for the user. Throws CONFIG_INVALID if the file exists, WRITE_FAILED if it can't be written.
 */
export async function init(location: ConfigLocation): Promise<string> {
  const file = configFileOf(location);
  try {
    await writeFile(file, startingConfig(), { flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new CodegenError('CONFIG_INVALID', `${file} already exists; it was not changed.`);
    throw new CodegenError('WRITE_FAILED', `${file} could not be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return `Wrote ${file}. It contains the defaults; delete the keys you don't change.`;
}

type Schema = ReturnType<typeof configJsonSchema>;

function startingConfig(): string {
  const { $schema, ...properties } = propertiesOf(configJsonSchema());
  const described = { ...($schema && { $schema: { ...$schema, default: schemaPath } }), ...properties };
  return `${objectText(described, '')}\n`;
}

function objectText(properties: Record<string, Schema>, indent: string): string {
  const inner = `${indent}  `;
  const entries = Object.entries(properties).map(([key, schema]) => {
    const nested = propertiesOf(schema);
    const hasDefaults = Object.values(nested).some((each) => each.default !== undefined);
    const value = hasDefaults ? objectText(nested, inner) : oneLine(schema.default);
    return `${inner}// ${comment(schema)}\n${inner}${JSON.stringify(key)}: ${value}`;
  });
  return `{\n${entries.join(',\n')}\n${indent}}`;
}

function comment(schema: Schema): string {
  const choices = [schema, ...(schema.anyOf ?? [])].flatMap((each) => each.enum ?? []);
  return [schema.description ?? '', ...(choices.length > 0 ? [`(${choices.join(', ')})`] : [])].join(' ');
}

function oneLine(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ');
}

function propertiesOf(schema: Schema): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
      typeof value === 'boolean' ? [] : [[key, value]],
    ),
  );
}
