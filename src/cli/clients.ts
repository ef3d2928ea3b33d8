import path from 'node:path';

/** What decides where a client keeps its settings. */
export interface ClientEnvironment {
  platform: NodeJS.Platform;
  home: string;
  /** The directory of the project. */
  project: string;
  /** Windows' directory of application data. */
  appData: string | undefined;
}

export type Scope = 'project' | 'user';

/** How the server is started. */
interface Command {
  command: string;
  args: string[];
}

/** An MCP client, and where and how its settings list servers. */
export interface McpClient {
  title: string;
  /** The file of each scope that the client has. */
  files: Partial<Record<Scope, (machine: ClientEnvironment) => string>>;
  format: 'json' | 'toml' | 'yaml';
  /** The key under which the file lists servers by name. */
  key: string;
  entry: (command: Command) => Record<string, unknown>;
  /** A link that installs the server in one click. */
  link?: (command: Command) => string;
}

export const serverName = 'codegen';

/** `npx` is a script, which Windows starts only through a shell. */
export function startCommand(platform: NodeJS.Platform): Command {
  const args = ['-y', 'codegen-session-mcp'];
  return platform === 'win32' ? { command: 'cmd', args: ['/c', 'npx', ...args] } : { command: 'npx', args };
}

const inProject =
  (...names: string[]) =>
  ({ project }: ClientEnvironment): string =>
    path.join(project, ...names);
const inHome =
  (...names: string[]) =>
  ({ home }: ClientEnvironment): string =>
    path.join(home, ...names);

/** Windows' directory of application data, in which Windows keeps settings, or another one elsewhere. */
const inSettings =
  (windows: string[], other: (machine: ClientEnvironment) => string) =>
  (machine: ClientEnvironment): string =>
    machine.platform === 'win32'
      ? path.join(machine.appData ?? path.join(machine.home, 'AppData', 'Roaming'), ...windows)
      : other(machine);

/** A place below the directory in which the system keeps the settings of applications. */
const inSystemSettings = (...names: string[]): ((machine: ClientEnvironment) => string) =>
  inSettings(names, (machine) =>
    inHome(
      ...(machine.platform === 'darwin' ? ['Library', 'Application Support'] : ['.config']),
      ...names,
    )(machine),
  );

const plain = ({ command, args }: Command): Record<string, unknown> => ({ command, args });
const stdio = (command: Command): Record<string, unknown> => ({ type: 'stdio', ...plain(command) });
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64');

const json = { format: 'json', key: 'mcpServers', entry: plain } as const;

/** The clients by the names that the command line has for them. Sources: each client's documentation, November 2026. */
export const clients: Readonly<Record<string, McpClient>> = {
  'claude-code': {
    ...json,
    title: 'Claude Code',
    files: { project: inProject('.mcp.json'), user: inHome('.claude.json') },
    entry: stdio,
  },
  'claude-desktop': {
    ...json,
    title: 'Claude Desktop',
    files: { user: inSystemSettings('Claude', 'claude_desktop_config.json') },
  },
  cursor: {
    ...json,
    title: 'Cursor',
    files: { project: inProject('.cursor', 'mcp.json'), user: inHome('.cursor', 'mcp.json') },
    link: (command) =>
      `cursor://anysphere.cursor-deeplink/mcp/install?name=${serverName}&config=${encodeURIComponent(base64(plain(command)))}`,
  },
  vscode: {
    title: 'VS Code',
    files: {
      project: inProject('.vscode', 'mcp.json'),
      user: inSystemSettings('Code', 'User', 'mcp.json'),
    },
    format: 'json',
    key: 'servers',
    entry: stdio,
    link: (command) =>
      `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: serverName, ...plain(command) }))}`,
  },
  windsurf: {
    ...json,
    title: 'Windsurf',
    files: { user: inHome('.codeium', 'windsurf', 'mcp_config.json') },
  },
  codex: {
    title: 'Codex',
    files: { project: inProject('.codex', 'config.toml'), user: inHome('.codex', 'config.toml') },
    format: 'toml',
    key: 'mcp_servers',
    entry: plain,
  },
  gemini: {
    ...json,
    title: 'Gemini CLI',
    files: { project: inProject('.gemini', 'settings.json'), user: inHome('.gemini', 'settings.json') },
  },
  kiro: {
    ...json,
    title: 'Kiro',
    files: {
      project: inProject('.kiro', 'settings', 'mcp.json'),
      user: inHome('.kiro', 'settings', 'mcp.json'),
    },
  },
  goose: {
    title: 'Goose',
    files: {
      user: inSettings(
        ['Block', 'goose', 'config', 'config.yaml'],
        inHome('.config', 'goose', 'config.yaml'),
      ),
    },
    format: 'yaml',
    key: 'extensions',
    entry: ({ command, args }) => ({
      name: serverName,
      type: 'stdio',
      cmd: command,
      args,
      enabled: true,
      timeout: 300,
    }),
    link: ({ command, args }) => {
      const words = args.map((word) => `&arg=${encodeURIComponent(word)}`).join('');
      return `goose://extension?cmd=${command}${words}&timeout=300&id=${serverName}&name=${serverName}&description=Records%20Playwright%20tests`;
    },
  },
  'lm-studio': {
    ...json,
    title: 'LM Studio',
    files: { user: inHome('.lmstudio', 'mcp.json') },
    link: (command) =>
      `lmstudio://add_mcp?name=${serverName}&config=${encodeURIComponent(base64(plain(command)))}`,
  },
  opencode: {
    title: 'opencode',
    files: {
      project: inProject('opencode.json'),
      user: inHome('.config', 'opencode', 'opencode.json'),
    },
    format: 'json',
    key: 'mcp',
    entry: ({ command, args }) => ({ type: 'local', command: [command, ...args], enabled: true }),
  },
  zed: {
    title: 'Zed',
    files: {
      project: inProject('.zed', 'settings.json'),
      user: inSettings(['Zed', 'settings.json'], inHome('.config', 'zed', 'settings.json')),
    },
    format: 'json',
    key: 'context_servers',
    entry: plain,
  },
};

/** The settings of a client that has no other server, as its file holds them. */
export function snippet({ key, entry }: McpClient, command: Command): Record<string, unknown> {
  return { [key]: { [serverName]: entry(command) } };
}
