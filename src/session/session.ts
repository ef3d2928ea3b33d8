import type { AutoAssertions } from '../assertions/auto-assertions.js';
import type { HarRecorder } from '../browser/har-recorder.js';
import type { Live } from '../browser/live.js';
import type { BaseSpec } from '../codegen/base-spec.js';
import type { EmissionOptions } from '../model/emission.js';
import type { Step } from '../model/step.js';
import type { Use } from '../model/use.js';
import type { SpecModule } from './spec-imports.js';
import type { OwnLocators } from './targets.js';

/** A session as serializable data. */
export interface Session {
  readonly id: string;
  /** The grant that started it; others can't see it. */
  readonly grant: string;
  title: string;
  /** The spec's path as requested, or derived from the title. */
  readonly file: string;
  /** The spec's path relative to the workspace, with forward slashes. */
  readonly path: string;
  readonly emission: EmissionOptions;
  /** Whether the visible effects of each step are asserted automatically. */
  readonly autoAssert: boolean;
  /**
   * The whole `use` of the session: the configuration's, overridden by the call's. The project and the first page may
   * add to it.
   */
  use: Use;
  /** Whether it resumes a saved session, whose file it replaces. */
  readonly resumed: boolean;
  /** Id of the unfinished session that it resumes. */
  readonly origin?: string | undefined;
  /** Directory of page objects that the project's people wrote, unless the configuration names one. */
  readonly pageObjectsDir?: string | undefined;
  /** Modules that the project's specs import. */
  readonly ownModules?: readonly SpecModule[] | undefined;
  /** Whether its test replays the network from a HAR instead of using it. */
  readonly har?: 'record' | undefined;
  /** What the network answered; undefined without `har`. */
  readonly network?: HarRecorder | undefined;
  /** The spec that it extends, or with which its test starts. */
  readonly base?: BaseSpec | undefined;
  readonly steps: Step[];
  /** The values of `{{unique:NAME}}`, which are new in every run, by name. */
  uniques?: Record<string, string> | undefined;
  /** Actions that changed the page with "record": false, each with the index of the step that it came before. */
  unrecorded?: { action: string; at: number }[];
  /** Steps after which the page could not be observed, as it did not respond. */
  unobserved?: Set<Step>;
  /** The last call that records, if it failed: its failed action, and how many came after it. */
  failedCall?: { action: string; left: number } | undefined;
  /** `failed` if its browser exited: it can still be ended, or resumed. */
  status: 'open' | 'failed' | 'ended';
  /** Address of the page when the session ended or failed. */
  lastUrl: string;
}

/** A session before it is opened. */
export type SessionPlan = Omit<Session, 'id' | 'steps' | 'uniques' | 'network' | 'status' | 'lastUrl'>;

/** A browser that was opened for a session, and what was detected for its plan. */
export interface Opening {
  live: Live;
  found: Partial<Pick<Session, 'use' | 'emission' | 'network' | 'pageObjectsDir' | 'ownModules'>>;
}

/** A session with its browser. */
export interface OpenSession {
  readonly session: Session;
  readonly live: Live;
  /** Locators of the page objects that the project's people wrote; undefined before they are read. */
  ownFields?: OwnLocators;
  /** Undefined before the first action, and without `autoAssert`. */
  autoAssertions?: AutoAssertions;
}
