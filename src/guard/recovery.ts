import { messageOf } from '../model/errors.js';
import { leaveToRecovery, takeOver, type FileRecord } from './journal.js';
import type { Territory } from './paths.js';
import { settle } from './transaction.js';

/** A transaction whose process died, as recovery has settled it. */
export interface Settled {
  id: string;
  outcome: 'written' | 'rolled back';
  files: FileRecord[];
}

export interface RecoveryContext {
  territory: Territory;
  /** Gives back the quota that was taken under this id. */
  release: (id: string) => Promise<void>;
  /** Tells the person who runs the server. */
  report: (line: string) => void;
  /** What the steps before have settled. */
  settled: Settled[];
}

/** What recovery does, in order. Each step may be killed and is repeated then, also by several processes at once. */
const steps: readonly ((context: RecoveryContext) => Promise<void>)[] = [settleTransactions];

/** Settles what processes that died have left, before anything else is done. */
export async function recover(context: Omit<RecoveryContext, 'settled'>): Promise<Settled[]> {
  const settled: Settled[] = [];
  for (const step of steps) await step({ ...context, settled });
  return settled;
}

/** Rolls back the transactions that were not done, and gives back their quota. */
async function settleTransactions({ territory, release, report, settled }: RecoveryContext): Promise<void> {
  for (const entry of await takeOver(territory.stateDirectory)) {
    const files = entry.record.files.filter(({ root }) => root === 'workspace');
    const paths = files.map(({ path }) => path).join(', ');
    try {
      await settle(entry, territory);
      if (entry.phase === 'undone') await release(entry.id);
      await entry.remove();
      settled.push({ id: entry.id, outcome: entry.phase === 'done' ? 'written' : 'rolled back', files });
    } catch (error) {
      leaveToRecovery(entry);
      report(`What a killed process left of writing ${paths} can't be settled: ${messageOf(error)}`);
    }
  }
}
