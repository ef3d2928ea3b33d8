import { serverName, startCommand } from '../src/cli/clients.js';
import { version } from '../src/model/version.js';

const name = 'codegen-session-mcp';
const title = 'Codegen sessions for Playwright';
/** The registry allows 100 characters. */
const description = 'Records browser flows with an AI agent and writes Playwright tests that have passed.';
const author = { name: 'codegen-session-mcp contributors' };
const keywords = ['playwright', 'testing', 'codegen', 'browser', 'e2e'];
const server = { [serverName]: startCommand('linux') };

/** The name in the MCP registry; that of `mcpName` in package.json. The owner of the GitHub organization publishes it. */
export const registryName = `io.github.${name}/${name}`;

/** The files that registries and clients read, by their paths from the root. */
export const manifests: Record<string, object> = {
  'server.json': {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: registryName,
    title,
    description,
    version,
    icons: [
      {
        src: `https://unpkg.com/${name}@${version}/icons/icon.png`,
        mimeType: 'image/png',
        sizes: ['512x512'],
      },
      {
        src: `https://unpkg.com/${name}@${version}/icons/icon.svg`,
        mimeType: 'image/svg+xml',
        sizes: ['any'],
      },
    ],
    packages: [
      {
        registryType: 'npm',
        registryBaseUrl: 'https://registry.npmjs.org',
        identifier: name,
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        packageArguments: [
          {
            type: 'named',
            name: '--workspace',
            description: 'Directory of the test project; the current directory by default.',
            format: 'filepath',
          },
        ],
      },
    ],
  },
  '.claude-plugin/plugin.json': {
    name: serverName,
    description,
    version,
    author,
    license: 'MIT',
    keywords,
    mcpServers: server,
  },
  '.claude-plugin/marketplace.json': {
    name,
    owner: author,
    plugins: [{ name: serverName, source: './', description }],
  },
  '.cursor-plugin/plugin.json': {
    name: serverName,
    displayName: title,
    description,
    version,
    author,
    license: 'MIT',
    logo: 'icons/icon.svg',
    keywords,
    skills: './skills/',
    mcpServers: server,
  },
  'gemini-extension.json': {
    name: serverName,
    version,
    description,
    mcpServers: server,
  },
};

const bundledBinary = `node_modules/${name}/dist/cli.js`;

/** The manifest of the bundle for Claude Desktop (`npm run bundle`). */
export const bundleManifest = {
  manifest_version: '0.4',
  name,
  display_name: title,
  version,
  description,
  author,
  license: 'MIT',
  keywords,
  icon: 'icon.png',
  server: {
    type: 'node',
    entry_point: bundledBinary,
    mcp_config: {
      command: 'node',
      args: [`\${__dirname}/${bundledBinary}`, '--workspace', '${user_config.workspace}'],
    },
  },
  user_config: {
    workspace: {
      type: 'directory',
      title: 'Test project',
      description: 'The directory of the project that gets the tests.',
      required: true,
    },
  },
  tools_generated: true,
  prompts_generated: true,
  compatibility: { platforms: ['darwin', 'linux', 'win32'], runtimes: { node: '>=20' } },
};
