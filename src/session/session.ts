import type { Step } from '../model/step.js';
import type { Live } from '../browser/live.js';
import type { Effects } from '../assertions/effects.js';
import type { Use } from '../model/use.js';

/** How the test of a session is written. */
export interface EmissionOptions {
  language: 'typescript' | 'javascript';
  template: string;
  includeComments: boolean;
  /** Stands before the test's title. */
  testNamePrefix: string;
  /** Directory of the test, relative to the workspace; undefined for the configured one. */
  outputPath: string | undefined;
}

export interface Session {
  readonly id: string;
  /** Who started it: to others it is not there. */
  readonly grant: string;
  readonly title: string;
  /** The spec's path as asked for, or as made from the title. */
  readonly file: string;
  /** Where that is, relative to the workspace, with forward slashes. */
  readonly path: string;
  readonly emission: EmissionOptions;
  /** Whether what each step visibly did is asserted. */
  readonly autoAssert: boolean;
  /** The whole `use` of the session: the configuration's, and over it the call's. */
  readonly use: Use;
  /** Whether it goes on from a saved one, whose file it replaces. */
  readonly resumed: boolean;
  /** Id of the unfinished session that it goes on from. */
  readonly origin?: string | undefined;
  readonly steps: Step[];
  /** `failed` where its browser is gone: it can still be ended, or resumed. */
  status: 'open' | 'failed' | 'ended';
  /** The browser's side; undefined unless the session is open. */
  live: Live | undefined;
  /** Finds what steps do, where that is asserted. */
  effects?: Effects;
  /** Address of the page when the session ended or failed. */
  lastUrl: string;
}
