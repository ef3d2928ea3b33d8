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
import type { Print } from './terminal.js';

/** The result of a check; `advice` says how to fix a problem. */
interface Finding {
  text: string;
  advice?: string | undefined;
}

/** Checks this machine and the workspace, and prints a line for each check. Returns whether all passed. */
export async function doctor(location: ConfigLocation, print: Print): Promise<boolean> {
  const { config, isAttachAllowed, findings } = await checkConfig(location);
  const { browser, state, output } = config;
  const { workspace } = location;
  const choice = browserChoice(browser, 'local');
  const checks = [
    { text: `Node ${process.versions.node}` },
    ...findings,
    checkDirectory('Workspace', workspace, 'Start the server in a writable directory.'),
    checkDirectory(
      'Output directory',
      path.resolve(workspace, output.dir),
      'Make it a writable directory, or set output.dir to another one.',
    ),
    checkDirectory(
      'State directory',
      path.resolve(workspace, state.dir),
      'Make it a writable directory, or set state.dir to another one.',
    ),
    ...(state.url === null ? [] : [checkRedis(openRedis({ ...state, url: state.url }))]),
    ...choice.endpoints.map((url) => checkHost(url, choice)),
    ...(choice.endpoints.length === 0 ? [checkBrowser(browser)] : []),
    ...(browser.attach === null ? [] : [checkAttached(browser.attach, choice, isAttachAllowed)]),
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

const attachCall = { tool: recordTool, args: { actions: [{ action: attachAction }] } };

async function checkConfig(
  location: ConfigLocation,
): Promise<{ config: Config; isAttachAllowed: boolean; findings: Finding[] }> {
  try {
    const { config, policy, configFile } = await loadConfig(location);
    const { size } = policy.tools;
    const findings = [
      { text: `Configuration: ${configFile ?? 'no codegen.config.json, so the defaults apply'}` },
      { text: `Policy: ${policy.default} by default, rules for ${size} ${size === 1 ? 'tool' : 'tools'}` },
    ];
    return { config, isAttachAllowed: restrictedDenial(policy, attachCall) === undefined, findings };
  } catch (error) {
    if (!(error instanceof CodegenError)) throw error;
    const advice = `${error.hint ?? ''} A running server keeps the last valid configuration.`;
    const findings = [{ text: `Configuration: ${error.message}`, advice }];
    return { config: configSchema.parse({}), isAttachAllowed: false, findings };
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
    const isDurable = info.includes('aof_enabled:1');
    const risk = isDurable ? '' : '; without `appendonly yes`, restarting Redis may reset limits';
    return { text: `Redis: ${place}, version ${version}, answered in ${milliseconds} ms${risk}` };
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
    const text = `Browser host: ${endpoint.address}, ${what}, ${choice.name} ${version} in ${milliseconds} ms`;
    return { text };
  } catch (error) {
    const hint = error instanceof CodegenError ? error.hint : undefined;
    return { text: `Browser host: ${messageOf(error)}`, advice: hint ?? 'Correct browser.endpoint.' };
  }
}

async function checkAttached(url: string, choice: BrowserChoice, isAllowed: boolean): Promise<Finding> {
  const endpoint = endpointAt(url);
  try {
    const connected = await connectTo(endpoint, choice, { noDefaults: true });
    const tabs = connected.contexts()[0]?.pages().length ?? 0;
    await connected.close();
    const found = `${connected.version()}, ${tabs} tabs`;
    const text = `Attach: sessions open in the person's own browser at ${endpoint.address}, with its logins (${found})`;
    if (isAllowed) return { text };
    const advice = `Allow "${attachAction}" in tools.${recordTool}.actions.allow of the policy, or remove browser.attach.`;
    return { text: `${text}, which the policy does not allow`, advice };
  } catch (error) {
    return {
      text: `Attach: ${messageOf(error)}`,
      advice: 'Start it with --remote-debugging-port, or correct browser.attach.',
    };
  }
}

async function checkBrowser(browser: Config['browser']): Promise<Finding> {
  const { name, channel, executablePath } = browser;
  if (name !== 'chromium')
    return describeTrial(name, await tryBrowser(name, {}), `Run \`${browserInstallCommand(name)}\`.`);
  const found = await findBrowser(browser);
  if (found !== undefined)
    return describeTrial(
      found.source,
      await tryBrowser(name, launchOptions(found)),
      `Run \`${browserInstallCommand('--with-deps chromium')}\`, or set browser.executablePath to another browser.`,
    );
  const place = executablePath === null ? '' : ` at ${executablePath}`;
  return {
    text: `Browser: none found${place}${channel === null ? '' : ` for the channel ${channel}`}`,
    advice:
      executablePath === null && channel === null
        ? `Install Chrome, Chromium or Edge, or run \`${browserInstallCommand('chromium')}\`.`
        : 'Correct browser.executablePath or browser.channel, or remove them to search for a browser.',
  };
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
