import type { Role } from '../model/role.js';

/** What the server and the browser exchange. Texts may quote a page, so they are shown as text, never as markup. */
export interface Person {
  name: string;
  role: Role;
}

export interface Failure {
  code: string;
  message: string;
  hint?: string | undefined;
}

export interface SessionSummary {
  id: string;
  title: string;
  grant: string;
  status: 'open' | 'failed' | 'ended';
  url: string;
  steps: number;
  /** Code of the last step. */
  lastAction: string;
  /** Why its agent asks for a person. */
  handOver?: string | undefined;
  /** Who has taken it over. */
  person?: string | undefined;
}

export interface StepView {
  index: number;
  code: string;
  assertions: string[];
  note?: string | undefined;
  unchecked?: boolean | undefined;
  /** Title of the group that it opens. */
  group?: string | undefined;
  /** Name of its thumbnail: the page after it, if somebody watched then. */
  thumbnail?: number | undefined;
}

/** A small picture of a page, as base64 of a JPEG; empty for none. */
export interface Thumbnail {
  data: string;
}

/** What a run of a session's test found. */
export interface VerificationView {
  status: string;
  runs: number;
  passed: number;
  durationMs: number;
  warnings: string[];
  dropped: { step: number; code: string; reason: string }[];
  failure?:
    | { step?: number; code?: string; message: string; hint: string; snapshot?: string | undefined }
    | undefined;
  /** The page before each step, as base64 of a JPEG; empty for none. */
  pictures: string[];
  /** The page at the end, or at the failure. */
  end?: string | undefined;
  /** Milliseconds of each step with its assertions. */
  durations: (number | undefined)[];
}

export interface SessionDetail extends SessionSummary {
  file: string;
  list: StepView[];
  pages: { id: string; url: string; isCurrent: boolean }[];
  /** Names of the secrets that can be typed. */
  secrets: string[];
  /** Whether it ended with a report of its verification. */
  hasReport: boolean;
  /** Whether the page waits for a file from the person who has taken it over. */
  asksForFile: boolean;
  /** The dialog that waits for the person who has taken it over. */
  openDialog: { type: string; message: string; defaultValue: string } | undefined;
  dialogs: { type: string; message: string; answer: string }[];
  console: { level: string; text: string }[];
  network: { method: string; url: string; outcome: string }[];
}

/** A frame of the live page, as base64. */
export interface LivePicture {
  data: string;
  type: 'image/jpeg';
  /** Size of the page in CSS pixels. */
  width: number;
  height: number;
}

/** The test as it would be written. */
export interface TestPreview {
  file: string;
  code: string;
  /** Against the existing file; empty if nothing would change. */
  diff: string;
}

export interface EndResult {
  filePath?: string | undefined;
  verification: string;
  warnings: string[];
}

/** The outcome of an action that a person records. */
export interface ActResult {
  /** Whether it opens a file chooser; then it was not recorded. */
  asksForFile: boolean;
}

/** The session that continues an ended one. */
export interface ResumeResult {
  id: string;
  /** What could not be replayed. */
  warnings: string[];
}

/** The report of a verification, as a document of its own. */
export interface ReportView {
  html: string;
}

export interface ApprovalView {
  id: string;
  grant: string;
  tool: string;
  rule: string;
  askedAt: string;
  expiresAt: string;
  /** The diff or the arguments. */
  subject: string;
  status: 'pending' | 'approved' | 'declined' | 'used';
}

export interface ActivityLine {
  time: string;
  event: string;
  grant: string;
  tool: string;
  session: string;
  decision: string;
  rule: string;
  /** What the decision would be if the policy were enforced; empty if it is. */
  dryRun: string;
  error: string;
  details: string;
}

export interface ChainState {
  lines: number;
  findings: string[];
}

export interface LimitView {
  name: string;
  used: number;
  max: number;
  window: string;
  scope: string;
  /** When some of it is free again; missing if nothing is used. */
  resetsAt?: string | undefined;
}

export interface PolicyView {
  grant: string;
  /** Path of its file; missing if it is part of the configuration. */
  file?: string | undefined;
  general: string[];
  tools: { name: string; risk: 'read' | 'write' | 'execute'; summary: string; rules: string[] }[];
  limits: LimitView[];
}

/** The text of a policy's file. */
export interface PolicyText {
  text: string;
  /** SHA-256 of the text, to detect changes by others. */
  hash: string;
}

export interface PolicyChange {
  /** Empty if nothing would change. */
  diff: string;
}

export interface TestFile {
  file: string;
  grant: string;
  modified: string;
  /** Whether it was edited since it was written. */
  isEdited: boolean;
  /** The verification with which its session ended. */
  verification?: { at: string; status: string; runs: number; passed: number; found: string[] } | undefined;
  isRunning: boolean;
  /** The latest session of this server that ended with this test and a report. */
  reportedBy?: string | undefined;
  last?: TestRunView | undefined;
}

/** Playwright's report of a run with a trace. */
export interface TraceView {
  url: string;
}

export interface TestRunView {
  status: string;
  passed: number;
  failed: number;
  flaky: number;
  durationMs: number;
  failures: {
    title: string;
    line: number;
    message: string;
    snapshot: string | undefined;
    /** Name of the picture of the page. */
    picture: string | undefined;
  }[];
  error?: Failure | undefined;
}

/** The decision about a call. */
export interface PolicyVerdict {
  kind: 'hidden' | 'denied' | 'approval' | 'allowed';
  rule: string;
  reason?: string | undefined;
}
