import { z } from 'zod';
import { readLine } from './audit-verify.js';

const entrySchema = z.looseObject({
  event: z.string(),
  time: z.string(),
  grant: z.string().default(''),
  session: z.string().optional(),
  tool: z.string().optional(),
  decision: z.string().optional(),
  rule: z.string().optional(),
  /** What the decision would have been without a dry run. */
  wouldBe: z.string().optional(),
  wouldBeRule: z.string().default(''),
  error: z.string().optional(),
  cancelled: z.boolean().optional(),
  interrupted: z.boolean().optional(),
  operator: z.string().optional(),
  action: z.string().optional(),
  /** A person's browser that a session was opened in. */
  browser: z.string().optional(),
  files: z.array(z.looseObject({ path: z.string(), change: z.string() })).default([]),
  durationMs: z.number().optional(),
});

/** A line of the audit log, as people read it. */
export type AuditEntry = z.infer<typeof entrySchema>;

/** Undefined for what is no line of the log. */
export function readEntry(line: string): AuditEntry | undefined {
  return entrySchema.safeParse(readLine(line)).data;
}

/** What an entry says besides its time, grant, tool, decision and session. */
export function detailsOf({
  operator,
  action,
  browser,
  interrupted,
  cancelled,
  files,
  durationMs,
}: AuditEntry): string[] {
  return [
    ...(operator === undefined ? [] : [`${operator}: ${action ?? ''}`]),
    ...(browser === undefined ? [] : [`in the person's browser ${browser}`]),
    ...(interrupted === true ? ['interrupted'] : []),
    ...(cancelled === true ? ['cancelled'] : []),
    ...files.map(({ path, change }) => `${change} ${path}`),
    ...(durationMs === undefined ? [] : [`${durationMs} ms`]),
  ];
}
