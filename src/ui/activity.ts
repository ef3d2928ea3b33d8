import { open } from 'node:fs/promises';
import path from 'node:path';
import { detailsOf, readEntry, type AuditEntry } from '../guard/audit-entries.js';
import { logName } from '../guard/audit-files.js';
import { follow } from './follow.js';
import type { PageApp, PageOptions } from './options.js';
import type { ActivityLine, ChainState } from './shapes.js';

/** Bytes at the end of the log that are read, and lines that are shown. */
const maxBytes = 512 * 1024;
const maxLines = 500;

/** The latest lines of the audit log, and whether its chain is intact. */
export function addActivity(app: PageApp, options: PageOptions): void {
  const log = path.join(options.stateDirectory, logName);
  app.get('/ui/api/activity', (context) => follow(context, options, () => latestLines(log)));
  app.get('/ui/api/activity/chain', async (context) => {
    const { count: lines, findings } = await options.verifyLog();
    return context.json({ lines, findings } satisfies ChainState);
  });
}

const latest = new Map<string, { stamp: string; lines: ActivityLine[] }>();

/** The newest lines first; the log is read again only if it has changed. */
async function latestLines(log: string): Promise<ActivityLine[]> {
  const file = await open(log).catch(() => undefined);
  if (file === undefined) return [];
  try {
    const { size, ino } = await file.stat();
    const stamp = `${ino} ${size}`;
    const known = latest.get(log);
    if (known?.stamp === stamp) return known.lines;
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), { position: start });
    const texts = buffer.toString('utf8', 0, bytesRead).split('\n');
    const entries = texts.flatMap((text) => readEntry(text) ?? []);
    const lines = entries.slice(-maxLines).reverse().map(lineOf);
    latest.set(log, { stamp, lines });
    return lines;
  } finally {
    await file.close();
  }
}

function lineOf(entry: AuditEntry): ActivityLine {
  const { time, event, grant, tool = '', session = '', decision = '', rule = '', error = '' } = entry;
  const { wouldBe, wouldBeRule } = entry;
  return {
    ...{ time, event, grant, tool, session, decision, rule, error },
    dryRun: wouldBe === undefined ? '' : `would be ${wouldBe} by ${wouldBeRule}`,
    details: detailsOf(entry).join(', '),
  };
}
