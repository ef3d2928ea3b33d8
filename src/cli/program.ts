import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { AuditFilter } from './audit.js';
import type { InstallOptions } from './install.js';
import { ownTerminal } from './terminal.js';
import type { ConfigLocation } from '../config/load.js';
import { nearest } from '../model/nearest.js';
import { version } from '../model/version.js';

/** Exit status if the command line is invalid; a command that failed exits with 1. */
const invalidUsage = 2;

interface ServeOptions {
  port?: number;
  host?: string;
  name?: string;
  grant?: string;
}

/** Runs the command that the arguments name, or serves MCP. Sets the exit status. */
export async function runCommand(args: string[]): Promise<void> {
  try {
    await (await createProgram(args)).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : invalidUsage;
  }
}

/** The commands import what they need when they run, so that each starts fast. */
async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('codegen-session-mcp')
    .description(
      'An AI agent records a browser flow and gets a Playwright test.\n\nWithout a command, serves MCP over stdio, or over HTTP with --port. The current directory is the workspace.',
    )
    .helpOption('-h, --help', 'Show this help.')
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({
      outputError: (text, write) => {
        const line = text.trim().replace(/^error: /, 'codegen-session-mcp: ');
        write(`${line.replaceAll('\n', ' ')}\n`);
      },
    })
    .version(version, '-v, --version', 'Show the version.')
    .option('--port <port>', 'Serve Streamable HTTP at /mcp on this port. See docs/http.md.', parsePort)
    .option(
      '--host <host>',
      'Address to bind to (default: 127.0.0.1). Addresses other than loopback require grants.',
    )
    .option('--name <name>', 'Name of this server; its session ids start with it.', parseName)
    .option('--grant <name>', 'Name of the caller, for limits and the log (default: local).', parseGrant)
    .action(async (options: ServeOptions, command: Command) => {
      if (options.host !== undefined && options.port === undefined)
        command.error("error: option '--host <host>' needs '--port <port>'");
      await serve(locationOf(command), options);
    });
  addWorkspace(program);
  addPolicy(program);
  addApprovals(program);
  addAudit(program);
  await addSession(program, args);
  finish(program);
  return program;
}

async function serve(
  location: ConfigLocation,
  { port, host = '127.0.0.1', name, grant }: ServeOptions,
): Promise<void> {
  if (port === undefined) {
    const { serveStdio } = await import('../server/stdio.js');
    await serveStdio({ ...location, name, grant: grant ?? 'local' });
  } else {
    const { serveHttp } = await import('../server/http/http.js');
    await serveHttp({ ...location, port, host, name, grant });
  }
}

function addWorkspace(program: Command): void {
  program
    .command('init')
    .description('Write a codegen.config.json with all defaults and a comment for each key.')
    .action(async (_: object, command: Command) => {
      const { init } = await import('./init.js');
      print(await init(locationOf(command)));
    });
  program
    .command('install')
    .description(
      "Add this server to an MCP client's settings, or install the agent skill. Shows the change and asks first.",
    )
    .option('--client <name>', 'Client, such as cursor, claude-code or vscode; an unknown name lists all.')
    .option('--skill', 'Install the agent skill instead, in .agents/skills or .claude/skills.')
    .addOption(
      new Option(
        '--scope <scope>',
        'Project settings (default, if the client has them) or user settings.',
      ).choices(['project', 'user']),
    )
    .option('--yes', 'Write without asking.')
    .action(async (options: InstallOptions, command: Command) => {
      if (options.client === undefined && options.skill !== true)
        command.error("error: required option '--client <name>' not specified");
      const { installServer } = await import('./install.js');
      const { platform, env } = process;
      const { workspace: project } = locationOf(command);
      const machine = { platform, home: homedir(), project, appData: env['APPDATA'] };
      await installServer(options, machine, ownTerminal(), print);
    });
  program
    .command('doctor')
    .description(
      'Check Node.js, the configuration, the directories and the browser. Exits with 1 on a problem.',
    )
    .action(async (_: object, command: Command) => {
      const { doctor } = await import('./doctor.js');
      process.exitCode = (await doctor(locationOf(command), print)) ? 0 : 1;
    });
  program
    .command('ui')
    .description('Serve the web UI, with the sessions of all servers that run in this directory.')
    .option('--port <port>', 'Port to listen on (default: a free one).', parsePort)
    .action(async ({ port }: { port?: number }, command: Command) => {
      const { serveUi } = await import('../server/ui.js');
      await serveUi({ ...locationOf(command), port });
    });
  program
    .command('restore')
    .description('List the backups of replaced files, or restore one.')
    .argument('[backup]', 'Id of a backup, or path of a file to restore its newest backup; "list" lists all.')
    .action(async (backup: string | undefined, _options: object, command: Command) => {
      const { restore } = await import('./restore.js');
      print(await restore(locationOf(command), backup));
    });
}

function addPolicy(program: Command): void {
  const policy = program.command('policy').description('Check, test or write a policy.');
  policy
    .command('check')
    .description('Validate a policy and explain it.')
    .argument('[file]', 'Policy file; the configured policy by default.')
    .action(async (file: string | undefined, _options: object, command: Command) => {
      const { checkPolicy } = await import('./policy.js');
      await checkPolicy(locationOf(command), file, print);
    });
  policy
    .command('test')
    .description(
      'Show the decision about a call and the rule behind it. Exits with 0 if the call is allowed, 3 if it is denied or hidden, 4 if it needs approval, 5 if it exceeds a limit on its own.',
    )
    .argument('<tool>', 'Name of the tool.')
    .argument('[arguments]', 'JSON file with the arguments of the call.')
    .action(async (tool: string, file: string | undefined, _options: object, command: Command) => {
      const { testPolicy } = await import('./policy.js');
      process.exitCode = await testPolicy(locationOf(command), tool, file, print);
    });
  policy
    .command('report')
    .description('Count what a policy with `enforce: false` would have rejected, by tool and rule.')
    .option('--since <time>', 'Only calls since a date, or in the last 30m, 2h, 7d.')
    .action(async ({ since }: { since?: string }, command: Command) => {
      const { dryRunReport } = await import('./audit.js');
      await dryRunReport(locationOf(command), since, print);
    });
  policy
    .command('scaffold')
    .description('Write a commented policy for all tools.')
    .argument('[file]', 'File to create; printed by default.')
    .action(async (file: string | undefined) => {
      const { scaffold, writeScaffold } = await import('./policy.js');
      if (file === undefined) print(scaffold().trimEnd());
      else {
        await writeScaffold(file);
        print(`Wrote ${file}. Set \`policy\` in codegen.config.json to this file.`);
      }
    });
}

function addApprovals(program: Command): void {
  const decide = async (verb: string, command: Command, id?: string, reason?: string): Promise<void> => {
    const { approvals } = await import('./approvals.js');
    await approvals(locationOf(command), { command: verb, id, reason }, ownTerminal(), print);
  };
  const list = (_: object, command: Command): Promise<void> => decide('list', command);
  const approvals = program
    .command('approvals')
    .description('List, show, approve or decline pending approvals.')
    .action(list);
  approvals.command('list').description('List pending approvals (the default).').action(list);
  for (const [verb, description] of [
    ['show', 'Show the diff or the arguments to approve.'],
    ['approve', 'Show the request and ask for approval. Requires a terminal.'],
    ['decline', 'Decline the request.'],
  ] as const) {
    const command = approvals.command(verb).description(description).argument('<id>', 'Id of the request.');
    if (verb === 'decline') command.option('--reason <text>', 'Reason to give to the agent.');
    command.action((id: string, { reason }: { reason?: string }) => decide(verb, command, id, reason));
  }
}

function addAudit(program: Command): void {
  program
    .command('audit')
    .description('Print the log of calls.')
    .option('--tool <name>', 'Only calls of this tool.')
    .option('--session <id>', 'Only calls on this session.')
    .option('--decision <decision>', 'Only calls with this decision, such as allowed or denied.')
    .option('--since <time>', 'Only calls since a date, or in the last 30m, 2h, 7d.')
    .option('--json', 'Print the raw lines of the log.')
    .action(async (filter: AuditFilter, command: Command) => {
      const { audit } = await import('./audit.js');
      await audit(locationOf(command), filter, print);
    })
    .command('verify')
    .description('Verify the hash chain of the log. Exits with 1 if the log was altered.')
    .action(async (_: object, command: Command) => {
      const { auditVerify } = await import('./audit.js');
      process.exitCode = (await auditVerify(locationOf(command), print)) ? 0 : 1;
    });
}

/** The options of these commands come from the list of tools, which is read only if they are used. */
async function addSession(program: Command, args: readonly string[]): Promise<void> {
  const session = program
    .command('session')
    .description('Record tests from a shell: start, record, get, end, clear, run. See its --help.');
  if (!args.includes('session')) return;
  const { addCalls, callTool, sessionHelp } = await import('./session.js');
  const { DaemonClient, serveDaemon } = await import('./daemon.js');
  const optionsOf = (command: Command): ConfigLocation & { grant: string } => {
    const { grant = 'local' } = command.opts<{ grant?: string }>();
    return { ...locationOf(command), grant };
  };
  session.addHelpText('after', sessionHelp);
  addCalls(session, async (call, command) => {
    process.exitCode = (await callTool(optionsOf(command), call, print)) ? 0 : 1;
  });
  session
    .command('stop')
    .description('Stop the server of this directory. Its sessions can be resumed.')
    .option('--grant <name>', 'Name of the caller whose server to stop (default: local).')
    .action(async (_: object, command: Command) => {
      const client = await DaemonClient.open(optionsOf(command));
      print(JSON.stringify({ stopped: await client.stop() }));
    });
  session
    .command('daemon', { hidden: true })
    .requiredOption('--grant <name>')
    .action(async (_: object, command: Command) => {
      await serveDaemon(optionsOf(command));
    });
}

/** Adds what all commands share to a command and its subcommands. */
function finish(command: Command, parents = ''): void {
  const path = `${parents}${command.name()}`;
  command
    .option('--config <path>', 'Configuration file to use instead of codegen.config.json.')
    .option('--workspace <directory>', 'Directory to work in instead of the current one.')
    .showHelpAfterError(`\`${path} --help\` shows the usage.`);
  if (command.commands.length === 0) return;
  // Commander would ignore the option in `--port 8931 doctor`.
  command.hook('preSubcommand', (_command, subcommand) => {
    const option = command.options.find(
      (each) =>
        !['--config', '--workspace'].includes(each.long ?? '') &&
        command.getOptionValueSource(each.attributeName()) === 'cli',
    );
    if (option !== undefined)
      command.error(`error: option '${option.flags}' does not apply to the command '${subcommand.name()}'`);
  });
  // Commander would report a mistyped subcommand as an excess argument.
  command
    .allowExcessArguments()
    .helpCommand(false)
    .hook('preAction', (_command, acting) => {
      const [word] = command.args;
      if (acting === command && word !== undefined) command.error(unknownCommand(command, word));
    });
  for (const subcommand of command.commands) finish(subcommand, `${path} `);
}

function unknownCommand({ commands }: Command, word: string): string {
  const names = commands.map((each) => each.name());
  const guess = nearest(word, names);
  return `error: unknown command '${word}' (${guess === undefined ? `Commands: ${names.join(', ')}` : `Did you mean ${guess}?`})`;
}

function locationOf(command: Command): ConfigLocation {
  const { config, workspace = '.' } = command.optsWithGlobals<{ config?: string; workspace?: string }>();
  if (!existsSync(workspace))
    command.error(`error: option '--workspace <directory>': there is no directory ${workspace}`);
  return { workspace: path.resolve(workspace), configPath: config && path.resolve(config) };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('Use a number from 1 to 65535, or 0 for any free port.');
  return port;
}

function parseName(text: string): string {
  if (!/^[a-z\d-]{1,32}$/i.test(text))
    throw new InvalidArgumentError('Use up to 32 letters, digits and dashes.');
  return text;
}

function parseGrant(text: string): string {
  if (text === '') throw new InvalidArgumentError('The name must not be empty.');
  return text;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
