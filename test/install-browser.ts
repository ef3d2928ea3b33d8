import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { findBrowser, launchOptions, type FoundBrowser } from '../src/browser/find-browser.js';
import { tryBrowser } from '../src/browser/try-browser.js';
import { CodegenError } from '../src/model/errors.js';

/** One way to get a browser: what is said first, and the commands, each needed by the next. */
export interface Installation {
  announcement: string;
  commands: Command[];
  /** A command that makes the browser faster, where the system has what it asks for. */
  helpful?: Command;
}

type Command = [program: string, ...args: string[]];

/** What installing needs from the machine. */
export interface Installer {
  /** The browser found, provided that it starts. */
  working(): Promise<FoundBrowser | undefined>;
  installations: Installation[];
  /** Runs one command; false where it failed. */
  run(program: string, args: string[]): boolean;
}

/**
 * Sees to it that there is a browser that starts, and installs one where there is none. Nothing goes to stdout.
 * Throws BROWSER_FAILED where nothing helped.
 */
export async function ensureBrowser(
  log: (line: string) => void,
  installer: Installer = installerOfThisMachine(log),
): Promise<FoundBrowser> {
  const present = await installer.working();
  if (present !== undefined) return present;
  const run = ([program, ...args]: Command): boolean => installer.run(program, args);
  for (const { announcement, commands, helpful } of installer.installations) {
    log(announcement);
    if (!commands.every(run)) continue;
    if (helpful !== undefined) run(helpful);
    const installed = await installer.working();
    if (installed !== undefined) return installed;
  }
  throw new CodegenError(
    'BROWSER_FAILED',
    'There is no browser on this machine, and none could be installed.',
    {
      hint: 'Install Chrome, Chromium or Edge, or run `npx playwright install --with-deps chromium` where its downloads can be reached.',
    },
  );
}

/** The ways to install a browser here, in the order to try them; `osRelease` is the text of /etc/os-release. */
export function installationsFor(machine: { isRoot: boolean; osRelease: string }): Installation[] {
  const playwright = path.dirname(createRequire(import.meta.url).resolve('playwright/package.json'));
  const download: Installation = {
    announcement: 'No browser was found: downloading Chromium with `npx playwright install chromium`.',
    commands: [[process.execPath, path.join(playwright, 'cli.js'), 'install', 'chromium']],
  };
  if (!machine.isRoot || !/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(machine.osRelease)) return [download];
  const apt: Command = ['apt-get', '-o', 'DPkg::Lock::Timeout=300'];
  const install: Command = [...apt, 'install', '-y', '--no-install-recommends'];
  return [
    download,
    {
      announcement: 'Installing the package `chromium` (and fonts) on this system with apt-get.',
      commands: [
        [...apt, 'update'],
        [...install, 'chromium', 'fonts-liberation'],
      ],
      helpful: [...install, 'chromium-headless-shell'],
    },
  ];
}

function installerOfThisMachine(log: (line: string) => void): Installer {
  return {
    async working() {
      const found = await findBrowser();
      if (found === undefined) return undefined;
      const trial = await tryBrowser('chromium', launchOptions(found));
      if (!('problem' in trial)) return found;
      log(`${found.source} does not start: ${trial.problem}`);
      return undefined;
    },
    installations: installationsFor({ isRoot: process.getuid?.() === 0, osRelease: osRelease() }),
    run: (program, args) =>
      spawnSync(program, args, {
        stdio: ['ignore', 2, 2],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      }).status === 0,
  };
}

function osRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
