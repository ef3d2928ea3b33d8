#!/usr/bin/env node
import { parseArgs } from 'node:util';
import type { ConfigLocation } from './config/load.js';
import { CodegenError, messageOf } from './model/errors.js';

const usage = `Usage: codegen-session-mcp [command] [options]

Serves MCP over stdio, or with --port over HTTP, in the current directory, the workspace, where no command is given.

Commands:
  init           write a commented codegen.config.json
  doctor         check this machine and the configuration
  audit          print the log of calls; "audit verify" checks that it is as it was written
  policy check [FILE]            validate a policy and say what it means
  policy test TOOL [ARGS.json]   say what would be decided over a call, and by which rule
  policy scaffold [FILE]         write a commented policy for all tools
  approvals [list]               list what waits for a person's approval
  approvals show|approve|decline ID
                                 show, approve (in a terminal) or decline it
  restore        list the files that were replaced; with an id or a path, bring one back

Options:
  --config PATH  configuration to use instead of codegen.config.json
  --grant NAME   who calls, as limits count it (default: local)
  --port PORT    serve Streamable HTTP at /mcp instead of stdio; docs/http.md says more
  --name NAME    of this server among several; ids of its sessions begin with it
  --host HOST    address to bind to (default: 127.0.0.1); others than loopback need grants
  --tool, --session, --decision, --since 2h, --json
                 which lines audit prints, and how
  --reason TEXT  what the agent is told of a declined approval
  --help         show this text
  --version      show the version
`;

const commands = ['init', 'doctor', 'policy', 'approvals', 'audit', 'restore'];

/** How many arguments commands take besides their names. */
const argumentsOf = new Map([
  ['policy', 3],
  ['approvals', 2],
  ['audit', 1],
  ['restore', 1],
]);

const options = {
  config: { type: 'string' },
  grant: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  name: { type: 'string' },
  tool: { type: 'string' },
  session: { type: 'string' },
  decision: { type: 'string' },
  since: { type: 'string' },
  json: { type: 'boolean', default: false },
  reason: { type: 'string' },
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
  const [verb] = rest;
  const taken = command === 'audit' && verb !== 'verify' ? 0 : (argumentsOf.get(command ?? '') ?? 0);
  const excess = rest.slice(taken);
  if (excess.length > 0) throw new UsageError(`unexpected argument "${excess.join(' ')}"`);
  if (values.grant === '') throw new UsageError('--grant needs a name');
  if (values.name !== undefined && !/^[a-z\d-]{1,32}$/i.test(values.name))
    throw new UsageError('--name takes up to 32 letters, digits and dashes');
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (values.version) {
    const { version } = await import('./model/version.js');
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
  if (command === 'policy') return runPolicy(location, rest);
  if (command === 'approvals') {
    const [verb = 'list', id] = rest;
    await requireCommand('approvals', verb, ['list', 'show', 'approve', 'decline']);
    const { approvals, ownTerminal } = await import('./cli/approvals.js');
    await approvals(location, { command: verb, id, reason: values.reason }, ownTerminal(), printLine);
    return 0;
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
  if (values.port !== undefined) {
    const { serveHttp } = await import('./server/http/http.js');
    const { host = '127.0.0.1', name, grant } = values;
    await serveHttp({ ...location, port: portOf(values.port), host, name, grant });
    return 0;
  }
  if (values.host !== undefined) throw new UsageError('--host needs --port');
  const { serveStdio } = await import('./server/stdio.js');
  await serveStdio({ ...location, name: values.name, grant: values.grant ?? 'local' });
  return 0;
}

/** A port; 0 stands for any that is free. */
function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`--port ${text} is not a port`);
  return port;
}

async function runPolicy(location: ConfigLocation, [verb = '', first, second]: string[]): Promise<number> {
  await requireCommand('policy', verb, ['check', 'test', 'scaffold']);
  const policy = await import('./cli/policy.js');
  if (verb === 'check') await policy.checkPolicy(location, first, printLine);
  else if (verb === 'scaffold' && first !== undefined) {
    await policy.writeScaffold(first);
    printLine(`Wrote ${first}. Name it as \`policy\` in codegen.config.json.`);
  } else if (verb === 'scaffold') process.stdout.write(policy.scaffold());
  else if (first === undefined) throw new UsageError('policy test needs the name of a tool');
  else return policy.testPolicy(location, first, second, printLine);
  return 0;
}

async function requireCommand(of: string, verb: string, known: readonly string[]): Promise<void> {
  if (!known.includes(verb)) throw new UsageError(await unknown(`${of} command`, verb, known));
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
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
