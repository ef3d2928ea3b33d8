import type { PlaywrightTestConfig } from '@playwright/test';
import { toJson } from '../model/json.js';
import { useSchema } from '../model/use.js';
import { workspaceVariable } from './plan.js';
import { loadWorkspaceConfig } from './wrap-config.js';

const sentOptions = [...Object.keys(useSchema.shape), 'defaultBrowserType', 'screen'];

/** What the server needs of a configuration or a project. */
function partOf({ testDir, testMatch, testIgnore, use = {} }: PlaywrightTestConfig): object {
  const sent = Object.entries(use).filter(([name]) => sentOptions.includes(name));
  return { testDir, testMatch, testIgnore, use: toJson(Object.fromEntries(sent)) };
}

/** A configuration without tests, which sends the workspace's own configuration to the server. */
const config = await loadWorkspaceConfig(process.env[workspaceVariable] ?? '');
process.send?.({ ...partOf(config), projects: config.projects?.map(partOf) });

export default { testMatch: [] };
