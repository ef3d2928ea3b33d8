import type { Browser } from 'playwright';
import { CodegenError, messageOf } from '../model/errors.js';
import { browserInstallCommand } from './install-command.js';
import type { BrowserChoice } from './browser-choice.js';
import type { Endpoint } from './endpoint.js';
import type { RemoteBrowsers } from './remote.js';
import { keepSelection } from './typed-secrets.js';

/** Milliseconds after which a browser without sessions is closed. */
const unusedMs = 600_000;

/** Browser processes, one per `BrowserChoice`, each shared by several sessions. */
export interface BrowserPool {
  /** Launches the browser unless it is already running. */
  get(choice: BrowserChoice, onProgress: (message: string) => void): Promise<Browser>;
  /** The endpoint that a test run connects to; undefined if it launches its own browser. */
  endpoint(choice: BrowserChoice): Promise<Endpoint | undefined>;
  close(): Promise<void>;
}

export function createBrowserPool(): BrowserPool {
  const browsers = new Map<string, Promise<Browser>>();
  let remote: Promise<RemoteBrowsers> | undefined;
  const remoteBrowsers = (): Promise<RemoteBrowsers> =>
    (remote ??= import('./remote.js').then((module) => new module.RemoteBrowsers()));
  return {
    async endpoint(choice) {
      if (choice.endpoints.length === 0) return undefined;
      return (await remoteBrowsers()).endpoint(choice);
    },
    async get(choice, onProgress) {
      if (choice.endpoints.length > 0) {
        onProgress(`Connecting to ${choice.name}`);
        return (await remoteBrowsers()).get(choice);
      }
      const key = JSON.stringify(choice);
      let starting = browsers.get(key);
      if (starting === undefined) {
        onProgress(`Starting ${choice.name}`);
        starting = launch(choice);
        browsers.set(key, starting);
        const forget = (): boolean => browsers.delete(key);
        starting.then((browser) => {
          browser.once('disconnected', forget);
          closeUnused(browser);
          if (choice.headless) keepSelection(browser);
        }, forget);
      }
      return starting;
    },
    async close() {
      const closing = [...browsers.values()].map(async (starting) => (await starting).close());
      browsers.clear();
      await Promise.allSettled([...closing, remote?.then((browsers) => browsers.close())]);
    },
  };
}

/** Closes a browser some time after its last session, so that old grants leave none running. */
function closeUnused(browser: Browser): void {
  browser.on('context', (context) => {
    context.once('close', () => {
      setTimeout(() => {
        if (browser.contexts().length === 0) browser.close().catch(() => undefined);
      }, unusedMs).unref();
    });
  });
}

/** Nothing listens on this port: each context has its own proxy, and the browser itself needs no network. */
const noProxy = { server: 'socks5://127.0.0.1:9', bypass: '<-loopback>' };

async function launch(choice: BrowserChoice): Promise<Browser> {
  const playwright = await import('playwright');
  const { findBrowser, launchOptions } = await import('./find-browser.js');
  const common = {
    headless: choice.headless,
    proxy: noProxy,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  };
  try {
    if (choice.name !== 'chromium') return await playwright[choice.name].launch(common);
    const found = await findBrowser(choice);
    if (found === undefined) throw notFound(choice);
    return await playwright.chromium.launch({ ...common, ...launchOptions(found) });
  } catch (error) {
    if (error instanceof CodegenError) throw error;
    const message = messageOf(error);
    if (message.includes("Executable doesn't exist"))
      throw new CodegenError('BROWSER_FAILED', `${choice.name} is not installed.`, {
        hint: `Run \`${browserInstallCommand(choice.name)}\`.`,
        cause: error,
      });
    throw new CodegenError('BROWSER_FAILED', `${choice.name} did not start: ${firstLines(message)}`, {
      hint: 'Run `codegen-session-mcp doctor` to see which browser is used and how it starts.',
      cause: error,
    });
  }
}

function firstLines(text: string): string {
  return text.split('\n').slice(0, 3).join(' ').slice(0, 300);
}

function notFound({ executablePath, channel }: BrowserChoice): CodegenError {
  if (executablePath !== null)
    return new CodegenError(
      'BROWSER_FAILED',
      `browser.executablePath ${executablePath} is not an executable.`,
      {
        hint: 'Correct it in codegen.config.json, or leave it out to use the browser that `codegen-session-mcp doctor` finds.',
      },
    );
  const wanted = channel === null ? 'Chrome, Chromium or Edge' : `browser of the channel ${channel}`;
  return new CodegenError('BROWSER_FAILED', `No ${wanted} was found on this machine.`, {
    hint: `Run \`${browserInstallCommand('chromium')}\`; \`codegen-session-mcp doctor\` shows what is found.`,
  });
}
