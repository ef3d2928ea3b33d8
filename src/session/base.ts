import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BrowserChoice } from '../browser/browser-choice.js';
import type { BrowserPool } from '../browser/launch.js';
import { engineSource, registerEngine } from '../browser/isolated.js';
import { adoptLive, type Live } from '../browser/live.js';
import { testLaunch } from '../browser/test-launch.js';
import type { BaseSpec } from '../codegen/base-spec.js';
import type { Config } from '../config/schema.js';
import { CodegenError, messageOf } from '../model/errors.js';
import type { Secrets } from '../model/secrets.js';
import { pauseFunction } from '../verify/pause.js';
import { settleMs } from './open-browser.js';

/** Maximum size of a spec that a session continues. */
const maxBytes = 262_144;

interface BaseContext {
  workspace: string;
  stateDirectory: string;
  config: () => Config;
  secrets: Secrets;
  browsers: BrowserPool;
}

/** Reads a spec of the workspace, named `file.spec.ts` or `file.spec.ts:42`. Throws PATH_NOT_ALLOWED, INVALID_INPUT. */
export async function readBase(
  checkReadable: (file: string) => Promise<{ absolute: string; relative: string }>,
  given: string,
  kind: BaseSpec['kind'],
): Promise<BaseSpec> {
  const [, name = '', line] = /^(.*?)(?::(\d+))?$/.exec(given) ?? [];
  if (!/\.(?:spec|test|setup)\.[cm]?[jt]sx?$/.test(name)) throw noSpec(given, 'is not the name of a spec');
  const { absolute, relative } = await checkReadable(name);
  if ((await stat(absolute)).size > maxBytes) throw noSpec(name, `has more than ${maxBytes} bytes`);
  const text = await readFile(absolute, 'utf8');
  return { file: relative, text, kind, ...(line === undefined ? {} : { line: Number(line) }) };
}

function noSpec(name: string, why: string): CodegenError {
  return new CodegenError('INVALID_INPUT', `${JSON.stringify(name)} ${why}.`, {
    hint: 'Use the path of a spec relative to the workspace, such as e2e/login.spec.ts, or e2e/login.spec.ts:42 for a line in it.',
  });
}

/** Runs a spec to its place, and opens a session in its page. Throws what `pauseTest` throws, and BROWSER_FAILED. */
export async function openBase(
  context: BaseContext,
  base: BaseSpec,
  {
    choice,
    testIdAttribute,
    signal,
  }: { choice: BrowserChoice; testIdAttribute: string | undefined; signal: AbortSignal },
): Promise<Live> {
  const { workspace, stateDirectory, config, secrets, browsers } = context;
  const { describePlace } = await import('../codegen/base-spec.js');
  const { pausingText } = await import('../codegen/extend-spec.js');
  const { pauseTest } = await import('../verify/paused-test.js');
  const { browser, verify } = config();
  const paused = await pauseTest({
    workspace,
    stateDirectory,
    rules: () => config().network,
    secrets,
    launch: () => testLaunch(browsers, choice),
    browserName: choice.name,
    headless: choice.headless,
    spec: {
      relative: base.file,
      absolute: path.join(workspace, base.file),
      text: pausingText(base, pauseFunction),
    },
    engine: engineSource(),
    place: describePlace(base).place,
    timeoutMs: verify.timeoutMs,
    signal,
  });
  try {
    const playwright = await import('playwright');
    // Before connecting, since its contexts already have the engine.
    await registerEngine();
    const remote = await playwright[choice.name].connect(paused.endpoint, {
      timeout: browser.navigationTimeoutMs,
    });
    const page = remote.contexts()[paused.context]?.pages()[paused.page];
    if (page === undefined) throw new Error('its page has closed');
    const release = async (): Promise<void> => {
      await remote.close();
      await paused.release();
    };
    return await adoptLive(
      { page, failure: paused.failure, release },
      {
        actionMs: browser.actionTimeoutMs,
        settleMs,
        testIdAttribute: testIdAttribute,
        maxPages: () => config().browser.maxPagesPerSession,
        rules: () => config().network,
        secrets,
      },
    );
  } catch (error) {
    await paused.release();
    throw new CodegenError(
      'BROWSER_FAILED',
      `The browser that runs ${base.file} can't be used: ${messageOf(error)}.`,
      {
        hint: 'Call again; if it fails again, record without that spec.',
        cause: error,
      },
    );
  }
}
