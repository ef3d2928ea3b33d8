import { readWhole } from '../state/files.js';
import type { Backup, BackupLimits } from './backups.js';
import { checkWrittenPath, type Territory } from './paths.js';
import type { WrittenFile } from './plan.js';
import { nothingHeld } from './quota.js';
import { writeFiles } from './writer.js';

/**
 * Writes a backup to where it came from. A person asked for it, so it replaces any file and no limit applies; what it
 * replaces is backed up too. Throws PATH_NOT_ALLOWED, FILE_CHANGED, WRITE_FAILED.
 */
export async function restoreBackup(
  backup: Backup,
  territory: Territory,
  backups: BackupLimits,
): Promise<WrittenFile[]> {
  const target = await checkWrittenPath(territory, backup.path);
  const { data } = await readWhole(backup.absolutePath);
  return writeFiles([{ target, content: () => data }], {
    territory,
    backups,
    onConflict: 'overwrite',
    overwrite: 'always',
    maxFileBytes: Infinity,
    dryRun: false,
    check: () => Promise.resolve(target),
    allow: () => Promise.resolve(),
    reserve: () => Promise.resolve(nothingHeld),
  });
}
