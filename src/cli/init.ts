import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configJsonSchema } from '../config/json-schema.js';
import { configFileOf, type ConfigLocation } from '../config/load.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { isInside } from '../model/paths.js';
import { browserNameSchema } from '../model/use.js';
import { findPageObjects } from '../session/page-object-dir.js';
import { errorCode } from '../state/files.js';
import { commonTestModule, specsIn } from '../verify/common-test-module.js';
import { askProject } from '../verify/project-use.js';

const schemaPath = './node_modules/codegen-session-mcp/schema/codegen.config.schema.json';

/** Writes a new configuration with defaults and comments. Returns a message. Throws CONFIG_INVALID, WRITE_FAILED. */
export async function init(location: ConfigLocation): Promise<string> {
  const file = configFileOf(location);
  const found = await detectOutput(location.workspace);
  try {
    await writeFile(file, startingConfig(found), { flag: 'wx' });
  } catch (error) {
    if (errorCode(error) === 'EEXIST')
      throw new CodegenError('CONFIG_INVALID', `${file} already exists; it was not changed.`);
    throw new CodegenError('WRITE_FAILED', `${file} could not be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const detected = Object.entries(found).map(
    ([key, { value, source }]) => `\n  ${key}: ${value} (${source})`,
  );
  return `Wrote ${file}. It contains the defaults; delete the keys you don't change.${
    detected.length === 0 ? '' : `\nDetected in your project:${detected.join('')}`
  }`;
}

/** Values that the project determines, by key of the configuration, each with the file it was found in. */
type Found = Record<string, { value: string; source: string }>;

/** Milliseconds for the project's configuration to load. */
const loadingMs = 20_000;

/** Empty without a Playwright configuration that loads. */
async function detectOutput(workspace: string): Promise<Found> {
  const question = {
    workspace,
    file: path.join(workspace, 'any.spec.ts'),
    browserName: browserNameSchema.enum.chromium,
  };
  const { signal } = new AbortController();
  const { testDir, configFile } = await askProject(question, { timeoutMs: loadingMs, signal });
  if (testDir === undefined || configFile === undefined || !isInside(workspace, testDir)) return {};
  const nameOf = (place: string): string => path.relative(workspace, place).split(path.sep).join('/');
  const found: Found = {};
  const dir = nameOf(testDir);
  // The output directory can't be the workspace itself.
  if (dir !== '') found['output.dir'] = { value: dir, source: nameOf(configFile) };
  const specs = await specsIn(testDir);
  const [script] = specs.filter((spec) => /\.[cm]?jsx?$/.test(spec));
  if (script !== undefined && specs.every((spec) => /\.[cm]?jsx?$/.test(spec)))
    found['output.language'] = { value: 'javascript', source: nameOf(script) };
  const common = await commonTestModule(workspace, testDir);
  if (common !== undefined)
    found['output.importTestFrom'] = { value: common.module, source: nameOf(common.spec) };
  const pages = await findPageObjects(workspace, testDir);
  if (pages !== undefined) found['output.pageObjectsDir'] = { value: pages.directory, source: pages.file };
  return found;
}

type Schema = ReturnType<typeof configJsonSchema>;

function startingConfig(found: Found): string {
  const { $schema, ...properties } = propertiesOf(configJsonSchema());
  const described = { ...($schema && { $schema: { ...$schema, default: schemaPath } }), ...properties };
  return `${objectText(described, { indent: '', key: '', found })}\n`;
}

function objectText(
  properties: Record<string, Schema>,
  { indent, key: outer, found }: { indent: string; key: string; found: Found },
): string {
  const inner = `${indent}  `;
  const entries = Object.entries(properties).map(([key, schema]) => {
    const nested = propertiesOf(schema);
    const hasDefaults = Object.values(nested).some((each) => each.default !== undefined);
    const name = outer === '' ? key : `${outer}.${key}`;
    const detected = found[name];
    const value = hasDefaults
      ? objectText(nested, { indent: inner, key: name, found })
      : oneLine(detected?.value ?? schema.default);
    const source = detected === undefined ? '' : ` Detected in ${detected.source}.`;
    return `${inner}// ${comment(schema)}${source}\n${inner}${JSON.stringify(key)}: ${value}`;
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
