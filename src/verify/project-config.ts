import type { PlaywrightTestConfig } from '@playwright/test';
import { toJson } from '../model/json.js';
import { useSchema } from '../model/use.js';
import { workspaceVariable } from './plan.js';
import { loadWorkspaceConfig } from './wrap-config.js';

type Part = Pick<PlaywrightTestConfig, 'testDir' | 'testMatch' | 'testIgnore' | 'use'> & {
  name?: string;
  dependencies?: string[];
};

const sentOptions = [...Object.keys(useSchema.shape), 'defaultBrowserType', 'screen', 'clientCertificates'];

/** The parts of a configuration or project that the server needs. */
function partOf({ testDir, testMatch, testIgnore, use = {}, ...rest }: Part): object {
  // Texts may be options of the project's own fixtures.
  const sent = Object.entries(use).filter(
    ([name, value]) => sentOptions.includes(name) || typeof value === 'string',
  );
  const { name, dependencies } = rest;
  return { name, dependencies, testDir, testMatch, testIgnore, use: toJson(Object.fromEntries(sent)) };
}

/** A configuration without tests that sends the workspace's configuration to the server. */
const config = await loadWorkspaceConfig(process.env[workspaceVariable] ?? '');
const servers = [config.webServer ?? []]
  .flat()
  .map(({ command, url, port }) => `${command} (${url ?? `port ${port}`})`);
process.send?.({ ...partOf(config), projects: config.projects?.map(partOf), servers });

export default { testMatch: [] };
