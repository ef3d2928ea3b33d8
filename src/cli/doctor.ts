import { mkdtemp, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { connectTo, endpointAt } from '../browser/endpoint.js';
import { findBrowser, launchOptions } from '../browser/find-browser.js';
import { browserInstallCommand } from '../browser/install-command.js';
import { tryBrowser } from '../browser/try-browser.js';
import { browserChoice, type BrowserChoice } from '../browser/browser-choice.js';
import { loadConfig, type ConfigLocation } from '../config/load.js';
import { configSchema, type Config } from '../config/schema.js';
import { restrictedDenial } from '../guard/policy.js';
import { CodegenError, messageOf } from '../model/errors.js';
import { attachAction, recordTool } from '../model/policy.js';
import { openRedis, type Redis } from '../state/redis.js';

/** The result of a check; `advice` says how to fix a problem. */
interface Finding {
  text: string;
  advice?: string | undefined;
}

/** Checks this machine and the workspace, and prints a line for each check. Returns whether all passed. */
export async function doctor(location: ConfigLocation, print: (line: string) => void): Promise<boolean> {
  const { config, isAttachAllowed, findings: configFindings } = await checkConfig(location);
  const { workspace } = location;
  const { endpoints } = browserChoice(config.browser, 'local');
  const checks = [
    { text: `Node ${process.versions.node}` },
    ...configFindings,
    checkDirectory('Workspace', workspace, 'Start the server in a writable directory.'),
    checkDirectory(
      'Output directory',
      path.resolve(workspace, config.output.dir),
      'Make it a writable directory, or set output.dir to another one.',
    ),
    checkDirectory(
      'State directory',
      path.resolve(workspace, config.state.dir),
      'Make it a writable directory, or set state.dir to another one.',
    ),
    ...(config.state.url === null ? [] : [checkRedis(openRedis({ ...config.state, url: config.state.url }))]),
    ...(endpoints.length === 0
      ? [checkBrowser(config.browser)]
      : endpoints.map((url) => checkHost(url, browserChoice(config.browser, 'local')))),
    ...(config.browser.attach === null ? [] : [checkAttached(config.browser, isAttachAllowed)]),
  ];
  let allPassed = true;
  for (const check of checks) {
    const { text, advice } = await check;
    print(`${advice === undefined ? 'ok     ' : 'problem'}  ${text}`);
    if (advice !== undefined) print(`         ${advice}`);
    allPassed &&= advice === undefined;
  }
  return allPassed;
}

async function checkConfig(location: ConfigLocation): Promise<{
  config: Config;
  isAttachAllowed: boolean;
  findings: Finding[];
}> {
  try {
    const { config, policy, configFile } = await loadConfig(location);
    const rules = policy.tools.size;
    return {
      config,
      isAttachAllowed: restrictedDenial(policy, attachCall) === undefined,
      findings: [
        { text: `Configuration: ${configFile ?? 'no codegen.config.json, so the defaults apply'}` },
        {
          text: `Policy: ${policy.default} by default, rules for ${rules} ${rules === 1 ? 'tool' : 'tools'}`,
        },
      ],
    };
  } catch (error) {
    if (!(error instanceof CodegenError)) throw error;
    return {
      config: configSchema.parse({}),
      isAttachAllowed: false,
      findings: [
        {
          text: `Configuration: ${error.message}`,
          advice: `${error.hint ?? ''} A running server keeps the last valid configuration.`,
        },
      ],
    };
  }
}

async function checkDirectory(name: string, directory: string, advice: string): Promise<Finding> {
  try {
    // Access rights don't show whether a write succeeds: the file system may be read-only.
    await rmdir(await mkdtemp(path.join(await existing(directory), '.codegen-doctor-')));
    return { text: `${name}: ${directory}` };
  } catch (error) {
    return { text: `${name}: ${directory} (${messageOf(error)})`, advice };
  }
}

/** The directory, or its nearest existing parent. */
async function existing(directory: string): Promise<string> {
  const exists = await stat(directory).then(
    () => true,
    () => false,
  );
  return exists ? directory : existing(path.dirname(directory));
}

async function checkRedis({ run, place }: Redis): Promise<Finding> {
  try {
    const began = performance.now();
    const info = await run((client) => client.info());
    const milliseconds = Math.round(performance.now() - began);
    const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
    const keeps = info.includes('aof_enabled:1')
      ? ''
      : '; without `appendonly yes`, restarting Redis may reset limits';
    return { text: `Redis: ${place}, version ${version}, answered in ${milliseconds} ms${keeps}` };
  } catch (error) {
    return {
      text: `Redis: ${messageOf(error)}`,
      advice: 'Start Redis, or correct state.url. Until it responds, calls with limits are rejected.',
    };
  }
}

async function checkHost(url: string, choice: BrowserChoice): Promise<Finding> {
  const endpoint = endpointAt(url);
  const what = endpoint.kind === 'cdp' ? 'a Chromium' : 'a Playwright server';
  try {
    const began = performance.now();
    const browser = await connectTo(endpoint, choice);
    const milliseconds = Math.round(performance.now() - began);
    const version = browser.version();
    await browser.close();
    return {
      text: `Browser host: ${endpoint.address}, ${what}, ${choice.name} ${version} in ${milliseconds} ms`,
    };
  } catch (error) {
    const hint = error instanceof CodegenError ? error.hint : undefined;
    return { text: `Browser host: ${messageOf(error)}`, advice: hint ?? 'Correct browser.endpoint.' };
  }
}

const attachCall = { tool: recordTool, args: { actions: [{ action: attachAction }] } };

/** Says that sessions open in a person's own browser, and whether they can. */
async function checkAttached(
  { attach, ...browser }: Config['browser'],
  isAllowed: boolean,
): Promise<Finding> {
  const url = attach ?? '';
  const { address } = endpointAt(url);
  const text = `Attach: sessions open in the person's own browser at ${address}, with its logins`;
  try {
    const connected = await connectTo(endpointAt(url), browserChoice(browser, 'local'), { noDefaults: true });
    const tabs = connected.contexts()[0]?.pages().length ?? 0;
    await connected.close();
    const advice = `Allow "${attachAction}" in tools.${recordTool}.actions.allow of the policy, or remove browser.attach.`;
    return {
      text: `${text} (${connected.version()}, ${tabs} tabs)${isAllowed ? '' : ', which the policy does not allow'}`,
      ...(isAllowed ? {} : { advice }),
    };
  } catch (error) {
    return {
      text: `Attach: ${messageOf(error)}`,
      advice: 'Start it with --remote-debugging-port, or correct browser.attach.',
    };
  }
}

async function checkBrowser({
  name,
  channel,
  executablePath,
  headless,
}: Config['browser']): Promise<Finding> {
  if (name !== 'chromium')
    return describeTrial(name, await tryBrowser(name, {}), `Run \`${browserInstallCommand(name)}\`.`);
  const found = await findBrowser({ channel, executablePath, headless });
  if (found === undefined)
    return {
      text: `Browser: none found${executablePath === null ? '' : ` at ${executablePath}`}${channel === null ? '' : ` for the channel ${channel}`}`,
      advice:
        executablePath === null && channel === null
          ? `Install Chrome, Chromium or Edge, or run \`${browserInstallCommand('chromium')}\`.`
          : 'Correct browser.executablePath or browser.channel, or remove them to search for a browser.',
    };
  return describeTrial(
    found.source,
    await tryBrowser(name, launchOptions(found)),
    `Run \`${browserInstallCommand('--with-deps chromium')}\`, or set browser.executablePath to another browser.`,
  );
}

function describeTrial(
  browser: string,
  trial: Awaited<ReturnType<typeof tryBrowser>>,
  advice: string,
): Finding {
  return 'problem' in trial
    ? { text: `Browser: ${browser} does not start: ${trial.problem}`, advice }
    : { text: `Browser: ${browser}, started and closed in ${trial.milliseconds} ms` };
}
