import { useSchema } from '../model/use.js';
import { questionSchema, questionVariable } from './plan.js';
import { loadWorkspaceConfig, projectUse } from './wrap-config.js';

/** A configuration without tests, which tells the server what the workspace's own says of one. */
const { workspace, file, browserName } = questionSchema.parse(
  JSON.parse(process.env[questionVariable] ?? ''),
);
const use = new Map<string, unknown>(
  Object.entries(projectUse(await loadWorkspaceConfig(workspace), workspace, file, browserName)),
);
const told = [...Object.keys(useSchema.shape), 'defaultBrowserType', 'screen'].filter((name) =>
  use.has(name),
);
process.send?.(Object.fromEntries(told.map((name) => [name, use.get(name)])));

export default { testMatch: [] };
