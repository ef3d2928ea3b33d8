import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** A Chromium-based browser on this machine. */
export interface FoundBrowser {
  executablePath: string;
  /** Name and path, e.g. `Google Chrome (/opt/google/chrome/chrome)`. */
  source: string;
  /** Whether it is installed on the system, not downloaded by Playwright. */
  installed: boolean;
}

/** What the search reads from the machine. */
export interface Machine {
  platform: NodeJS.Platform;
  environment: NodeJS.ProcessEnv;
  home: string;
  isExecutable(file: string): boolean;
  /** The path of Playwright's own Chromium, which may not exist; undefined if it has none. */
  playwrightChromium(): Promise<string | undefined>;
}

interface Product {
  channel: string;
  name: string;
  /** Looked up in PATH on Linux. */
  commands: string[];
  /** Under the program directories on Windows. */
  windows: string;
}

function product(channel: string, name: string, windows: string, ...commands: string[]): Product {
  return { channel, name, commands, windows: `${windows.replaceAll('/', '\\')}.exe` };
}

/** Playwright's default for headless mode: the same engine, which starts in a third of the time. */
const headlessShell = product(
  'chromium-headless-shell',
  "Chromium's headless shell",
  'Chromium/Application/chrome-headless-shell',
  // Debian's command is a wrapper script that keeps running.
  '/usr/lib/chromium/chromium-headless-shell',
  'chromium-headless-shell',
);

/** Playwright's channels with their names and paths, in search order. */
const products = [
  product(
    'chrome',
    'Google Chrome',
    'Google/Chrome/Application/chrome',
    ...['google-chrome-stable', 'google-chrome', '/opt/google/chrome/chrome'],
  ),
  product('chromium', 'Chromium', 'Chromium/Application/chrome', 'chromium', 'chromium-browser'),
  product(
    'msedge',
    'Microsoft Edge',
    'Microsoft/Edge/Application/msedge',
    ...['microsoft-edge-stable', 'microsoft-edge'],
  ),
  ...['Beta', 'Dev', 'Canary'].flatMap((version) => {
    const suffix = version.toLowerCase();
    const directory = version === 'Dev' ? 'unstable' : suffix;
    const windows = version === 'Canary' ? 'SxS' : version;
    return [
      product(
        `chrome-${suffix}`,
        `Google Chrome ${version}`,
        `Google/Chrome ${windows}/Application/chrome`,
        ...[`google-chrome-${directory}`, `/opt/google/chrome-${directory}/chrome`],
      ),
      product(
        `msedge-${suffix}`,
        `Microsoft Edge ${version}`,
        `Microsoft/Edge ${windows}/Application/msedge`,
        ...[`microsoft-edge-${suffix}`, `/opt/microsoft/msedge-${suffix}/msedge`],
      ),
    ];
  }),
];

/**
 * The Chromium-based browser to use: only the configured executable or channel if one is set; otherwise the Chromium that
 * Playwright downloaded for this version, else an installed headless shell in headless mode, else an installed Chrome,
 * Chromium or Edge.
 */
export async function findBrowser(
  options: { channel?: string | null; executablePath?: string | null; headless?: boolean } = {},
  machine: Machine = thisMachine,
): Promise<FoundBrowser | undefined> {
  const { channel, executablePath, headless = true } = options;
  if (executablePath)
    return machine.isExecutable(executablePath)
      ? { executablePath, source: `browser.executablePath (${executablePath})`, installed: true }
      : undefined;
  if (!channel || channel === 'chromium') {
    const downloaded = await machine.playwrightChromium();
    if (downloaded !== undefined && machine.isExecutable(downloaded))
      return {
        executablePath: downloaded,
        source: `Playwright's Chromium (${downloaded})`,
        installed: false,
      };
  }
  const candidates = channel
    ? products.filter((each) => each.channel === channel)
    : [...(headless ? [headlessShell] : []), ...products];
  for (const product of candidates) {
    const installed = places(product, machine).find((place) => machine.isExecutable(place));
    if (installed !== undefined)
      return { executablePath: installed, source: `${product.name} (${installed})`, installed: true };
  }
  return undefined;
}

/** Options of Playwright's `launch` for a found browser. */
export function launchOptions(found: FoundBrowser): {
  executablePath: string;
  chromiumSandbox: boolean;
  args: string[];
} {
  return {
    executablePath: found.executablePath,
    chromiumSandbox: canSandbox(found),
    args: [
      // Chromium contacts Google despite Playwright's own switches (component updates, account list).
      '--component-updater=url-source=http://127.0.0.1:9/',
      '--gaia-url=http://127.0.0.1:9/',
      // A process for each site, as in Chrome, so that a frame whose script does not end stops only itself.
      '--site-per-process',
      // Prevents WebRTC from bypassing the proxy; older versions have another name for the switch.
      ...['webrtc', 'force-webrtc'].map((name) => `--${name}-ip-handling-policy=disable_non_proxied_udp`),
    ],
  };
}

function places({ name, commands, windows }: Product, machine: Machine): string[] {
  const { environment, home } = machine;
  if (machine.platform === 'win32')
    return [environment['PROGRAMFILES'], environment['PROGRAMFILES(X86)'], environment['LOCALAPPDATA']]
      .filter((root) => root !== undefined)
      .map((root) => path.win32.join(root, windows));
  if (machine.platform === 'darwin')
    return ['/Applications', path.posix.join(home, 'Applications')].map((root) =>
      path.posix.join(root, `${name}.app`, 'Contents', 'MacOS', name),
    );
  const directories = (environment['PATH'] ?? '').split(':').filter((directory) => directory.startsWith('/'));
  return commands.flatMap((command) =>
    command.startsWith('/') ? command : directories.map((directory) => path.posix.join(directory, command)),
  );
}

/** On Linux, Chromium's sandbox needs a non-root user and user namespaces, which many containers forbid. */
function canSandbox(found: FoundBrowser): boolean {
  if (process.platform !== 'linux') return true;
  if (process.getuid?.() === 0) return false;
  // Ubuntu's AppArmor allows namespaces for installed browsers, but not for downloaded ones.
  if (readIfThere('/proc/sys/kernel/apparmor_restrict_unprivileged_userns').trim() === '1')
    return found.installed;
  return spawnSync('unshare', ['--user', 'true'], { stdio: 'ignore' }).status === 0;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    const status = statSync(file);
    if (!status.isFile()) return false;
    // Ubuntu's /usr/bin/chromium-browser is a script that runs the snap, or asks to install it.
    const isSnapStub = status.size < 4096 && readIfThere(file).includes('requires the chromium snap');
    return !isSnapStub || isExecutable('/snap/bin/chromium');
  } catch {
    return false;
  }
}

const thisMachine: Machine = {
  platform: process.platform,
  environment: process.env,
  home: homedir(),
  isExecutable,
  async playwrightChromium() {
    const { chromium } = await import('playwright');
    try {
      return chromium.executablePath();
    } catch {
      return undefined;
    }
  },
};
