import type { ConfigLocation } from '../config/load.js';
import { CodegenError } from '../model/errors.js';
import { detailsOf, readEntry, type AuditEntry } from '../guard/audit-entries.js';
import { logFiles, verifyLog } from '../guard/audit-verify.js';
import { openState } from '../guard/state.js';
import { statePlaceOf } from './state-place.js';
import type { Print } from './terminal.js';

export interface AuditFilter {
  tool?: string | undefined;
  session?: string | undefined;
  decision?: string | undefined;
  /** A date, or a duration such as `30m`, `12h`, `7d`. */
  since?: string | undefined;
  json?: boolean;
}

export async function audit(location: ConfigLocation, filter: AuditFilter, print: Print): Promise<void> {
  for await (const { line, entry } of entriesSince(location, filter.since)) {
    const isShown = (['tool', 'session', 'decision'] as const).every((key) =>
      [undefined, entry[key]].includes(filter[key]),
    );
    if (isShown) print(filter.json === true ? line : plain(entry));
  }
}

/** Prints what a policy in a dry run would have rejected, by tool and rule. */
export async function dryRunReport(
  location: ConfigLocation,
  since: string | undefined,
  print: Print,
): Promise<void> {
  const groups = new Map<string, { count: number; grants: Set<string>; last: string }>();
  let calls = 0;
  for await (const { entry } of entriesSince(location, since)) {
    if (entry.event !== 'call') continue;
    calls++;
    if (entry.wouldBe === undefined) continue;
    const key = `${entry.tool ?? '?'}  ${entry.wouldBe} by ${entry.wouldBeRule}`;
    const { count = 0, grants = new Set<string>() } = groups.get(key) ?? {};
    groups.set(key, { count: count + 1, grants: grants.add(entry.grant), last: entry.time });
  }
  const total = [...groups.values()].reduce((sum, { count }) => sum + count, 0);
  print(`${total} of ${calls} calls would have been rejected or would have needed approval.`);
  const byCount = [...groups].sort(([, one], [, other]) => other.count - one.count);
  for (const [key, { count, grants, last }] of byCount)
    print(`${String(count).padStart(6)}  ${key}  (${[...grants].join(', ')}; last ${last})`);
}

async function* entriesSince(
  location: ConfigLocation,
  since: string | undefined,
): AsyncGenerator<{ line: string; entry: AuditEntry }> {
  const from = since === undefined ? '' : timeOf(since);
  const { directory } = await statePlaceOf(location);
  for (const { text } of logFiles(directory))
    for (const line of text.split('\n')) {
      const entry = readEntry(line);
      if (entry !== undefined && entry.time >= from) yield { line, entry };
    }
}

/** Prints the problems of the log, and returns whether it has none. */
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
    entry.wouldBe === undefined ? '' : `would be ${entry.wouldBe} by ${entry.wouldBeRule}`,
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
    hint: 'Use a date such as 2026-01-31, or a duration: 30m, 12h, 7d.',
  });
}
