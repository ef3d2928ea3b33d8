import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Approvals } from '../guard/approvals.js';
import type { Audit } from '../guard/audit.js';
import type { Policy } from '../model/rules.js';
import type { Secrets } from '../model/secrets.js';
import type { Peer } from '../state/peers.js';
import type { Sessions } from '../session/sessions.js';
import type { ToolContext } from '../tools/tool.js';
import type { EntryLink } from './entry-link.js';
import type { Login } from './logins.js';
import type { Person } from './shapes.js';

export interface PageEnv {
  Bindings: HttpBindings;
  /** Set for everything under `/ui/api` but the login. */
  Variables: { login: Login };
}

export type PageApp = Hono<PageEnv>;

/** What the web UI needs of the server that serves it. */
export interface PageOptions {
  workspace: string;
  stateDirectory: string;
  scheme: 'http' | 'https';
  /** Of all grants. */
  sessions: Sessions;
  secrets: Secrets;
  grants: () => string[];
  contextOf: (grant: string) => ToolContext;
  policyOf: (grant: string) => Policy;
  /** Runs work that the server waits for when it stops. */
  run: <Result>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>) => Promise<Result>;
  audit: () => Promise<Audit>;
  approvals: Approvals;
  verifyLog: () => Promise<{ count: number; findings: string[] }>;
  /** Reads the configuration again if it has changed. */
  refresh: () => Promise<void>;
  operators: () => readonly Person[];
  /** Name of the operator with a token. */
  operatorOf: (token: string) => string | undefined;
  /** Undefined if operators are configured. */
  link: EntryLink | undefined;
  /** Required of the process of `codegen-session-mcp ui`, which then is the only client. */
  peerSecret?: string;
  /** Finds the servers whose sessions are shown instead of those of this process. */
  peers?: () => Promise<Peer[]>;
  /** Called for each request of a person who is logged in. */
  onAccepted: (request: IncomingMessage) => void;
}
