import { loadConfig, type ConfigLocation } from '../config/load.js';
import { listBackups } from '../guard/backups.js';
import { createGuard } from '../guard/guard.js';
import { restoreBackup } from '../guard/restore.js';
import { CodegenError } from '../model/errors.js';
import { escapeInvisible } from '../model/text.js';
import { stateDirectoryOf } from '../state/files.js';
import { redisOf } from '../state/redis.js';

/** Lists the backups, or restores one by its id or path. Returns a message. Throws INVALID_INPUT. */
export async function restore(location: ConfigLocation, wanted = 'list'): Promise<string> {
  const { config, policy } = await loadConfig(location);
  const territory = {
    workspace: location.workspace,
    stateDirectory: await stateDirectoryOf(location.workspace, config.state.dir),
  };
  await createGuard({
    ...territory,
    config: () => ({ ...config, policy }),
    caller: { grant: 'local', connection: '' },
    redis: redisOf(config.state),
  }).recover();
  const backups = await listBackups(territory.stateDirectory);
  if (wanted === 'list')
    return backups.length === 0
      ? 'No files have been replaced.'
      : backups
          .map(({ id, time, path }) => `${id}  ${time.toLocaleString()}  ${escapeInvisible(path)}`)
          .join('\n');
  const backup = backups.find(({ id, path }) => id === wanted || path === wanted);
  if (backup === undefined)
    throw new CodegenError('INVALID_INPUT', `There is no backup "${wanted}".`, {
      hint: '`codegen-session-mcp restore list` lists the backups with their ids and paths.',
    });
  const [written] = await restoreBackup(backup, territory, config.writes.backups);
  const time = backup.time.toLocaleString();
  if (written?.change === 'unchanged') return `${backup.path} already has its content of ${time}.`;
  const backedUp = written?.change === 'replaced' ? ' The replaced file was backed up.' : '';
  return `Restored ${backup.path} as of ${time}.${backedUp}`;
}
