import { messageOf } from '../model/errors.js';
import { leaveToRecovery, takeOver, type FileRecord } from './journal.js';
import type { Territory } from './paths.js';
import { settle } from './transaction.js';

/** A transaction whose process died, as recovery has settled it. */
interface Settled {
  outcome: 'written' | 'rolled back';
  files: FileRecord[];
}

interface RecoveryContext {
  territory: Territory;
  /** Releases the quota that was taken under this id. */
  release: (id: string) => Promise<void>;
  /** Notifies the operator. */
  report: (line: string) => void;
}

/**
 * Settles the transactions of processes that died, and gives back the quota of those that were rolled back. It may be
 * killed at any moment and is repeated then, also by several processes at once.
 */
export async function recover({ territory, release, report }: RecoveryContext): Promise<Settled[]> {
  const settled: Settled[] = [];
  for (const entry of await takeOver(territory.stateDirectory)) {
    const files = entry.record.files.filter(({ root }) => root === 'workspace');
    try {
      await settle(entry, territory);
      if (entry.phase === 'undone') await release(entry.id);
      await entry.remove();
      settled.push({ outcome: entry.phase === 'done' ? 'written' : 'rolled back', files });
    } catch (error) {
      leaveToRecovery(entry);
      const paths = files.map(({ path }) => path).join(', ');
      report(`An interrupted write of ${paths} can't be completed or undone: ${messageOf(error)}`);
    }
  }
  return settled;
}
