#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { CodegenError, messageOf } from './model/errors.js';

const usage = `Usage: codegen-session-mcp [command] [options]

Serves MCP over stdio in the current directory, the workspace, where no command is given.

Commands:
  init           write a commented codegen.config.json
  doctor         check this machine and the configuration
  audit          print the log of calls; "audit verify" checks that it is as it was written
  restore        list the files that were replaced; with an id or a path, bring one back

Options:
  --config PATH  configuration to use instead of codegen.config.json
  --grant NAME   who calls, as limits count it (default: local)
  --tool, --session, --decision, --since 2h, --json
                 which lines audit prints, and how
  --help         show this text
  --version      show the version
`;

const commands = ['init', 'doctor', 'audit', 'restore'];

const options = {
  config: { type: 'string' },
  grant: { type: 'string', default: 'local' },
  tool: { type: 'string' },
  session: { type: 'string' },
  decision: { type: 'string' },
  since: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
} as const;

/** A command line that cannot be understood. */
class UsageError extends Error {}

/** Runs the command line; the number is the exit status. Each path loads only what it needs. */
async function run(args: string[]): Promise<number> {
  const { values, positionals } = await parse(args);
  const [command, ...rest] = positionals;
  if (command !== undefined && !commands.includes(command))
    throw new UsageError(await unknown('command', command, commands));
  const takesOne = command === 'restore' || (command === 'audit' && rest[0] === 'verify');
  const excess = takesOne ? rest.slice(1) : rest;
  if (excess.length > 0) throw new UsageError(`unexpected argument "${excess.join(' ')}"`);
  if (values.grant === '') throw new UsageError('--grant needs a name');
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (values.version) {
    const { version } = await import('./version.js');
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const location = { workspace: process.cwd(), configPath: values.config };
  if (command === 'init') {
    const { init } = await import('./cli/init.js');
    process.stdout.write(`${await init(location)}\n`);
    return 0;
  }
  if (command === 'doctor') {
    const { doctor } = await import('./cli/doctor.js');
    return (await doctor(location, (line) => process.stdout.write(`${line}\n`))) ? 0 : 1;
  }
  if (command === 'audit') {
    const { audit, auditVerify } = await import('./cli/audit.js');
    const print = (line: string): boolean => process.stdout.write(`${line}\n`);
    if (rest[0] === 'verify') return (await auditVerify(location, print)) ? 0 : 1;
    await audit(location, values, print);
    return 0;
  }
  if (command === 'restore') {
    const { restore } = await import('./cli/restore.js');
    process.stdout.write(`${await restore(location, rest[0])}\n`);
    return 0;
  }
  const { serve } = await import('./server.js');
  await serve({ ...location, grant: values.grant });
  return 0;
}

async function parse(
  args: string[],
): Promise<ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>> {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const [message = ''] = messageOf(error).split('\n');
    const flag = /^Unknown option '([^']+)'/.exec(message)?.[1];
    throw new UsageError(
      flag === undefined
        ? message
        : await unknown(
            'option',
            flag,
            Object.keys(options).map((name) => `--${name}`),
          ),
    );
  }
}

async function unknown(kind: string, word: string, known: readonly string[]): Promise<string> {
  const { nearest } = await import('./model/nearest.js');
  const guess = nearest(word, known);
  return `unknown ${kind} "${word}"; ${guess === undefined ? `known: ${known.join(', ')}` : `did you mean ${guess}?`}`;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`codegen-session-mcp: ${messageOf(error)}\n`);
  if (error instanceof CodegenError && error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
