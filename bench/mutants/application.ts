import type { Mutant } from './instrument.js';

/** An action of `record_codegen_session`. */
export interface FlowAction {
  action: string;
  [field: string]: unknown;
}

/** What an attentive agent asserts: an `expect` after an action of the flow, counted from 0 without the opening. */
export interface AgentAssertion {
  after: number;
  expect: Omit<FlowAction, 'action'> & { matcher: string };
}

/** An application that is running, with all its mutants in one build. */
export interface RunningApplication {
  baseURL: string;
  mutants: Mutant[];
  close(): Promise<void>;
}

/** An application that nobody of this project wrote, and what is tested of it. */
export interface Application {
  name: string;
  /** What it is, for the table. */
  kind: string;
  /** Title of the test. */
  title: string;
  /** Path that the flow opens. */
  url: string;
  flow: readonly FlowAction[];
  agent: readonly AgentAssertion[];
  /** How many of the mutants that the flow executes are tried, unless the command says otherwise; all by default. */
  sample?: number;
  /** Installs, instruments, builds and serves it. Each browser context gets fresh data. */
  start(): Promise<RunningApplication>;
}
