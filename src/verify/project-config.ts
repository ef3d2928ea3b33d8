import { useSchema } from '../model/use.js';
import { questionSchema, questionVariable } from './plan.js';
import { loadWorkspaceConfig, projectUse } from './wrap-config.js';

/** A configuration without tests, which tells the server what the workspace's own says of one. */
const question = questionSchema.parse(JSON.parse(process.env[questionVariable] ?? ''));
const use = projectUse(await loadWorkspaceConfig(question.workspace), question);
const sent = [...Object.keys(useSchema.shape), 'defaultBrowserType', 'screen'];
process.send?.(Object.fromEntries(Object.entries(use).filter(([name]) => sent.includes(name))));

export default { testMatch: [] };
