import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ParseError } from 'jsonc-parser';
import { z } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import { log } from '../model/log.js';
import { playwrightConfigNames } from '../model/paths.js';
import { policySchema } from '../model/policy.js';
import type { Policy } from '../model/rules.js';
import { compilePolicy, type CompileExpression } from './policy.js';
import { validateDocument } from './problems.js';
import { withNewNames } from './renamed.js';
import { configSchema, type Config } from './schema.js';

const configFileName = 'codegen.config.json';

/** Stamp of a file that is not there. */
const missing = 'missing';

export interface ConfigLocation {
  /** The directory that relative paths start from. */
  workspace: string;
  /** The file to read; `codegen.config.json` in the workspace by default, which may be missing. */
  configPath?: string | undefined;
}

export interface LoadedConfig {
  config: Config;
  policy: Policy;
  /** The policies of grants that have one of their own, by the grants' names. */
  policies: ReadonlyMap<string, Policy>;
  /** Absolute; null if there is no file and every key has its default. */
  configFile: string | null;
}

/** A configuration that follows its files. */
export interface ConfigSource {
  /** The current configuration, or the last valid one if the current is invalid. Costs a `stat` per file. */
  current(): Promise<LoadedConfig>;
  /** What is wrong with the files as they are now. */
  readonly problem: CodegenError | undefined;
  /** The files that it follows. */
  files: () => string[];
}

/** Absolute path of the configuration, which need not exist. */
export function configFileOf({ workspace, configPath = configFileName }: ConfigLocation): string {
  return path.resolve(workspace, configPath);
}

/** Reads the configuration and its policy. Throws CONFIG_INVALID, which names file, key, value and what is allowed. */
export function loadConfig(location: ConfigLocation): Promise<LoadedConfig> {
  return load(location, new Map());
}

/**
 * Reads the configuration as `loadConfig` does, and again whenever a file of it has changed. `accept` throws
 * CONFIG_INVALID over one that this server can't use.
 */
export async function createConfigSource(
  location: ConfigLocation,
  accept: (config: Config) => void = () => undefined,
): Promise<ConfigSource> {
  let stamps = new Map<string, string>();
  let loaded = await load(location, stamps);
  accept(loaded.config);
  let problem: CodegenError | undefined;
  let refreshed = Promise.resolve();

  async function refresh(): Promise<void> {
    if (!(await hasChanged(stamps))) return;
    stamps = new Map();
    try {
      // A file that was there must not vanish: defaults could allow what it denied.
      const configPath = loaded.configFile ?? location.configPath;
      const changed = await load({ ...location, configPath }, stamps);
      accept(changed.config);
      loaded = changed;
      problem = undefined;
    } catch (error) {
      problem = error instanceof CodegenError ? error : invalid([messageOf(error)]);
      process.stderr.write(`${problem.message}\nThe last valid configuration stays in effect.\n`);
    }
  }

  return {
    current() {
      refreshed = refreshed.then(refresh);
      return refreshed.then(() => loaded);
    },
    get problem() {
      return problem;
    },
    files: () => [...stamps.keys()],
  };
}

/** Loads, and notes the stamp of each file before it is read, even if that fails. */
async function load(location: ConfigLocation, stamps: Map<string, string>): Promise<LoadedConfig> {
  const file = configFileOf(location);
  const text = await readStamped(file, stamps);
  if (text === undefined && location.configPath !== undefined)
    throw invalid(
      [`${file}: there is no such file`],
      'Create it with `codegen-session-mcp init`, or correct the path.',
    );
  const document =
    text === undefined
      ? {}
      : withNewNames(await parseJson(file, text), (message) => {
          log(`${file}: ${message}`);
        });
  const { $schema, policy, grants, ...config } = valid(configSchema, document, file);
  // The directories of grants must not overlap, whatever the project says.
  if (grants.length === 0) config.output = await outputOf(location, document, config.output, stamps);
  const compiled = async (written: typeof policy): Promise<Policy> =>
    typeof written === 'string'
      ? readPolicy(path.resolve(path.dirname(file), written), stamps)
      : compilePolicy(written, await expressionsOf(written, file));
  const policies = new Map<string, Policy>();
  for (const { name, policy: own } of grants) if (own !== undefined) policies.set(name, await compiled(own));
  return {
    config: { ...config, grants: grants.map(({ policy: _, ...grant }) => grant) },
    policy: await compiled(policy),
    policies,
    configFile: text === undefined ? null : file,
  };
}

const outputSchema = z.looseObject({ output: z.looseObject({}).optional() });

/** The configured output; what the document leaves out is as the project's Playwright configuration says. */
async function outputOf(
  { workspace }: ConfigLocation,
  document: unknown,
  output: Config['output'],
  stamps: Map<string, string>,
): Promise<Config['output']> {
  const given = outputSchema.parse(document).output ?? {};
  // Where emitted tests are, they stay.
  if ('dir' in given || existsSync(path.join(workspace, output.dir))) return output;
  for (const name of playwrightConfigNames) {
    const text = await readStamped(path.join(workspace, name), stamps);
    if (text === undefined) continue;
    const { projectOutput } = await import('./project-output.js');
    return { ...output, ...(await projectOutput(workspace, text)), ...given };
  }
  return output;
}

/** Reads the file of a policy: PolicyLayer's document, or a rule file of its Intercept. Throws CONFIG_INVALID. */
export function loadPolicy(file: string): Promise<Policy> {
  return readPolicy(path.resolve(file), new Map());
}

async function readPolicy(file: string, stamps: Map<string, string>): Promise<Policy> {
  const text = await readStamped(file, stamps);
  if (text === undefined)
    throw invalid(
      [`${file}: there is no such policy`],
      'Create one with `codegen-session-mcp policy scaffold`, or correct the path.',
    );
  return parsePolicy(file, text);
}

/** The policy that a file of its own would describe with this text. Throws CONFIG_INVALID. */
export async function parsePolicy(file: string, text: string): Promise<Policy> {
  const parse = /\.ya?ml$/i.test(file) ? parseYaml : parseJson;
  const document = await parse(file, text);
  const compile = await expressionsOf(document, file);
  const { interceptSchema, isIntercept, translateIntercept } = await import('./intercept.js');
  const policy = isIntercept(document)
    ? translateIntercept(valid(interceptSchema, document, file), compile)
    : compilePolicy(valid(policySchema, document, file), compile);
  return { ...policy, file };
}

/** What compiles the regular expressions of a document; loaded only if it has any. */
async function expressionsOf(document: unknown, file: string): Promise<CompileExpression> {
  const { compileExpression } = JSON.stringify(document).includes('"regex"')
    ? await import('./expression.js')
    : { compileExpression: undefined };
  return (source, rule) => {
    try {
      return compileExpression?.(source) ?? (() => false);
    } catch (error) {
      throw invalid(
        [`${file}: ${rule} has a regular expression that can't be used: ${messageOf(error)}`],
        'Expressions are matched in linear time, as in RE2, without lookarounds and backreferences. Several conditions often have the same effect.',
      );
    }
  };
}

function valid<Schema extends z.ZodType>(schema: Schema, document: unknown, file: string): z.output<Schema> {
  const checked = validateDocument(schema, document);
  if ('problems' in checked) throw invalid(checked.problems.map((problem) => `${file}: ${problem}`));
  return checked.data;
}

/** JSON that may hold comments and trailing commas, as editors write it. */
async function parseJson(file: string, text: string): Promise<unknown> {
  const { parse, printParseErrorCode } = await import('jsonc-parser');
  const errors: ParseError[] = [];
  const document: unknown = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error === undefined) return document;
  const before = text.slice(0, error.offset).split('\n');
  const what = printParseErrorCode(error.error)
    .replace(/\B[A-Z]/g, ' $&')
    .toLowerCase();
  throw invalid([`${file}:${before.length}:${(before.at(-1) ?? '').length + 1}: not JSON: ${what}`]);
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    const document: unknown = parse(text);
    return document;
  } catch (error) {
    const [what = ''] = messageOf(error).split('\n');
    throw invalid([`${file}: not YAML: ${what.replace(/:$/, '')}`]);
  }
}

async function readStamped(file: string, stamps: Map<string, string>): Promise<string | undefined> {
  const stamp = await stampOf(file);
  stamps.set(file, stamp);
  if (stamp === missing) return undefined;
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    throw invalid([`${file}: cannot be read: ${messageOf(error)}`]);
  }
}

/** Detects that a file has changed. An unreadable file is not missing: reading it fails. */
async function stampOf(file: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(file, { bigint: true });
    return [mtimeNs, size, ino].join(' ');
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code !== 'ENOENT'
      ? String(error.code)
      : missing;
  }
}

async function hasChanged(stamps: Map<string, string>): Promise<boolean> {
  const changes = await Promise.all(
    [...stamps].map(async ([file, stamp]) => (await stampOf(file)) !== stamp),
  );
  return changes.includes(true);
}

function invalid(
  problems: string[],
  hint = 'Correct the file; `codegen-session-mcp doctor` checks it.',
): CodegenError {
  return new CodegenError('CONFIG_INVALID', problems.join('\n'), { hint });
}
