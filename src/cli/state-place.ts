import { loadConfig, type ConfigLocation } from '../config/load.js';
import type { StatePlace } from '../guard/state.js';
import { stateDirectoryOf } from '../state/files.js';
import { redisOf } from '../state/redis.js';

/** Where the state is stored. */
export async function statePlaceOf(location: ConfigLocation): Promise<StatePlace> {
  const { state } = (await loadConfig(location)).config;
  return { directory: await stateDirectoryOf(location.workspace, state.dir), redis: redisOf(state) };
}
