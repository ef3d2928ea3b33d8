import path from 'node:path';

export interface ClientEnvironment {
  platform: NodeJS.Platform;
  home: string;
  project: string;
  /** The environment variable APPDATA of Windows. */
  appData: string | undefined;
}

export type Scope = 'project' | 'user';

interface Command {
  command: string;
  args: string[];
}

/** A path in the project, or below `~`, `%APPDATA%` or `<settings>`, the system's directory for settings. */
export type FilePath = string | { windows: string; other: string };

/** An MCP client, and where and how its settings list servers. */
export interface McpClient {
  title: string;
  /** The file of each scope that the client has. */
  files: Partial<Record<Scope, FilePath>>;
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

export function settingsFile(file: FilePath, machine: ClientEnvironment): string {
  const { platform, home, project, appData = path.join(home, 'AppData', 'Roaming') } = machine;
  if (typeof file !== 'string')
    return settingsFile(platform === 'win32' ? file.windows : file.other, machine);
  const settings = path.join(home, platform === 'darwin' ? 'Library/Application Support' : '.config');
  const roots: Readonly<Record<string, string>> = {
    '~': home,
    '%APPDATA%': appData,
    '<settings>': platform === 'win32' ? appData : settings,
  };
  const [root = '', ...names] = file.split('/');
  return path.join(roots[root] ?? path.join(project, root), ...names);
}

const plain = ({ command, args }: Command): Record<string, unknown> => ({ command, args });
const stdio = (command: Command): Record<string, unknown> => ({ type: 'stdio', ...plain(command) });
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64');

const json = { format: 'json', key: 'mcpServers', entry: plain } as const;

/** The clients by their names on the command line. Sources: each client's documentation, November 2026. */
export const clients: Readonly<Record<string, McpClient>> = {
  'claude-code': {
    ...json,
    title: 'Claude Code',
    files: { project: '.mcp.json', user: '~/.claude.json' },
    entry: stdio,
  },
  'claude-desktop': {
    ...json,
    title: 'Claude Desktop',
    files: { user: '<settings>/Claude/claude_desktop_config.json' },
  },
  cursor: {
    ...json,
    title: 'Cursor',
    files: { project: '.cursor/mcp.json', user: '~/.cursor/mcp.json' },
    link: (command) =>
      `cursor://anysphere.cursor-deeplink/mcp/install?name=${serverName}&config=${encodeURIComponent(base64(plain(command)))}`,
  },
  vscode: {
    title: 'VS Code',
    files: { project: '.vscode/mcp.json', user: '<settings>/Code/User/mcp.json' },
    format: 'json',
    key: 'servers',
    entry: stdio,
    link: (command) =>
      `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: serverName, ...plain(command) }))}`,
  },
  windsurf: { ...json, title: 'Windsurf', files: { user: '~/.codeium/windsurf/mcp_config.json' } },
  codex: {
    title: 'Codex',
    files: { project: '.codex/config.toml', user: '~/.codex/config.toml' },
    format: 'toml',
    key: 'mcp_servers',
    entry: plain,
  },
  gemini: {
    ...json,
    title: 'Gemini CLI',
    files: { project: '.gemini/settings.json', user: '~/.gemini/settings.json' },
  },
  kiro: {
    ...json,
    title: 'Kiro',
    files: { project: '.kiro/settings/mcp.json', user: '~/.kiro/settings/mcp.json' },
  },
  goose: {
    title: 'Goose',
    files: {
      user: { windows: '%APPDATA%/Block/goose/config/config.yaml', other: '~/.config/goose/config.yaml' },
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
    files: { user: '~/.lmstudio/mcp.json' },
    link: (command) =>
      `lmstudio://add_mcp?name=${serverName}&config=${encodeURIComponent(base64(plain(command)))}`,
  },
  opencode: {
    title: 'opencode',
    files: { project: 'opencode.json', user: '~/.config/opencode/opencode.json' },
    format: 'json',
    key: 'mcp',
    entry: ({ command, args }) => ({ type: 'local', command: [command, ...args], enabled: true }),
  },
  zed: {
    title: 'Zed',
    files: {
      project: '.zed/settings.json',
      user: { windows: '%APPDATA%/Zed/settings.json', other: '~/.config/zed/settings.json' },
    },
    format: 'json',
    key: 'context_servers',
    entry: plain,
  },
};

/** The settings of a client with no other server, as its file contains them. */
export function snippet({ key, entry }: McpClient, command: Command): Record<string, unknown> {
  return { [key]: { [serverName]: entry(command) } };
}
