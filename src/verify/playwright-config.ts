import { readFile } from 'node:fs/promises';
import { connectInsteadOfLaunching } from './connect.js';
import { installPause } from './pause.js';
import { loadWorkspaceConfig, wrapConfig } from './wrap-config.js';
import { installFailurePictures, installPictures } from './run-pictures.js';
import { planSchema, planVariable } from './plan.js';

/** The configuration of the child, which Playwright Test loads in each of its processes. */
const plan = planSchema.parse(JSON.parse(await readFile(process.env[planVariable] ?? '', 'utf8')));

if (plan.remote?.kind === 'cdp') connectInsteadOfLaunching(plan.remote.url, plan.reportFile);
if (plan.pause !== undefined) await installPause(plan.pause, plan.reportFile);
if (plan.pictures !== undefined) await installPictures(plan.pictures, plan.secrets, plan.reportFile);
if (plan.failurePictures) await installFailurePictures(plan.secrets, plan.reportFile);

export default wrapConfig(await loadWorkspaceConfig(plan.workspace), plan);
