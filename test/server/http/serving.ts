import { spawn } from 'node:child_process';
import { request, type IncomingHttpHeaders } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitRequestSchema,
  type ElicitRequest,
  type ElicitResult,
} from '@modelcontextprotocol/sdk/types.js';
import { binary, callsOf, type Connection } from '../../fixtures.js';

/** A real server over HTTP, in a process of its own. */
export interface Serving {
  url: string;
  port: number;
  pid: number;
  stderr: () => string;
  /** `connectAt` this server. */
  connect: (
    token?: string,
    answer?: (question: ElicitRequest['params']) => ElicitResult,
  ) => Promise<Connecting>;
  /** One request, as it is given. */
  send: (options?: Sent) => Promise<Received>;
  /** Tells the server to stop, and resolves to its exit code. */
  stop: () => Promise<number | null>;
}

export type Connecting = Pick<Connection, 'client' | 'call' | 'start' | 'record' | 'close'> & {
  transport: StreamableHTTPClientTransport;
};

export interface Sent {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** An MCP client of what is served at a URL; with `answer`, one that can ask a person. */
export async function connectAt(
  url: string,
  token?: string,
  answer?: (question: ElicitRequest['params']) => ElicitResult,
): Promise<Connecting> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  const capabilities = answer === undefined ? {} : { elicitation: { form: {}, url: {} } };
  const client = new Client({ name: 'test', version: '1' }, { capabilities });
  if (answer !== undefined) client.setRequestHandler(ElicitRequestSchema, ({ params }) => answer(params));
  await client.connect(transport);
  return { client, transport, ...callsOf(client) };
}

export async function serve(
  workspace: string,
  options: { args?: string[]; env?: Record<string, string> } = {},
): Promise<Serving> {
  const child = spawn(process.execPath, [binary, '--port', '0', ...(options.args ?? [])], {
    cwd: workspace,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      const served = / served at (\S+)/.exec(stderr)?.[1];
      if (served !== undefined) resolve(served);
    });
    child.once('exit', () => {
      reject(new Error(stderr));
    });
  });
  const { port, protocol } = new URL(url);
  const open = protocol === 'https:' ? requestSecurely : request;
  return {
    url,
    port: Number(port),
    pid: child.pid ?? 0,
    stderr: () => stderr,
    connect: (...of) => connectAt(url, ...of),
    send: ({ method = 'POST', path = '/mcp', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const outgoing = open(
          { host: '127.0.0.1', port, method, path, headers, agent: false, rejectUnauthorized: false },
          (incoming) => {
            let text = '';
            incoming.setEncoding('utf8');
            incoming.on('data', (chunk: string) => (text += chunk));
            incoming.on('end', () => {
              resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
            });
          },
        );
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** The headers of a message, as clients have to send them. */
export const messageHeaders = {
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
};

export function initialize(protocolVersion = '2025-11-25'): string {
  const clientInfo = { name: 'raw', version: '1' };
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion, capabilities: {}, clientInfo },
  });
}

/** A call of a tool by a client of the revision without MCP sessions. */
export function statelessCall(name: string, args: object, authorization?: string): Sent {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const method = 'tools/call';
  return {
    headers: {
      ...messageHeaders,
      'Mcp-Protocol-Version': '2026-07-28',
      'Mcp-Method': method,
      'Mcp-Name': name,
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name, arguments: args, _meta: meta } }),
  };
}
