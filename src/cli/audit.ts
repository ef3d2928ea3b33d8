import type { ConfigLocation } from '../config/load.js';
import { CodegenError } from '../model/errors.js';
import { detailsOf, readEntry, type AuditEntry } from '../guard/audit-entries.js';
import { logFiles, verifyLog } from '../guard/audit-verify.js';
import { openState } from '../guard/state.js';
import { statePlaceOf } from './state-place.js';

/** Which lines are printed, and how. */
export interface AuditFilter {
  tool?: string | undefined;
  session?: string | undefined;
  decision?: string | undefined;
  /** A date, or a span back from now as in `30m`, `12h`, `7d`. */
  since?: string | undefined;
  json?: boolean;
}

type Print = (line: string) => void;

/** Prints the lines of the log that match the filter. */
export async function audit(location: ConfigLocation, filter: AuditFilter, print: Print): Promise<void> {
  const since = filter.since === undefined ? '' : timeOf(filter.since);
  for (const { text } of logFiles((await statePlaceOf(location)).directory))
    for (const line of text.split('\n')) {
      const entry = readEntry(line);
      if (entry === undefined || entry.time < since) continue;
      if (
        (['tool', 'session', 'decision'] as const).some(
          (key) => ![undefined, entry[key]].includes(filter[key]),
        )
      )
        continue;
      print(filter.json === true ? line : plain(entry));
    }
}

/** Prints the problems of the log. Returns whether it has none. */
export async function auditVerify(location: ConfigLocation, print: Print): Promise<boolean> {
  const place = await statePlaceOf(location);
  const { count, findings } = await verifyLog(place.directory, openState(place).audit);
  for (const finding of findings) print(`problem  ${finding}`);
  if (findings.length === 0) print(`ok       ${count} lines, none altered.`);
  return findings.length === 0;
}

function plain(entry: AuditEntry): string {
  const { time, grant, event, tool = event, decision, rule, error, session } = entry;
  return [
    time,
    grant,
    tool,
    decision === undefined ? '' : `${decision} by ${rule ?? '?'}`,
    error ?? '',
    session === undefined ? '' : `session ${session}`,
    ...detailsOf(entry),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

const units: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function timeOf(since: string): string {
  const [, number, unit = ''] = /^(\d+)([smhd])$/.exec(since) ?? [];
  const time =
    number === undefined ? Date.parse(since) : Date.now() - Number(number) * (units[unit] ?? 0) * 1_000;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new CodegenError('INVALID_INPUT', `--since ${since} is not a time.`, {
    hint: 'Give a date such as 2026-01-31, or how long ago: 30m, 12h, 7d.',
  });
}
