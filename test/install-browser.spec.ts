import type { FoundBrowser } from '../src/browser/find-browser.js';
import { ensureBrowser, installationsFor, type Installer } from './install-browser.js';
import { expect, test } from './fixtures.js';

const debian = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n';
const mint = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n';
const fedora = 'NAME="Fedora Linux"\nID=fedora\nPRETTY_NAME="not debian"\n';
const browser: FoundBrowser = { executablePath: '/usr/bin/chromium', source: 'Chromium', installed: true };

/** An installer on a Debian machine, on which the command that starts like this brings a browser; others fail. */
function installer(helpful: string | undefined, events: string[], present?: FoundBrowser): Installer {
  let working = present;
  return {
    working: () => Promise.resolve(working),
    installations: installationsFor({ isRoot: true, osRelease: debian }),
    run(program, args) {
      const command = [program === process.execPath ? 'node' : program, ...args].join(' ');
      events.push(command);
      if (helpful !== undefined && command.includes(helpful)) working = browser;
      return program === 'apt-get' || working !== undefined;
    },
  };
}

test('an installed browser is used, and nothing runs or is printed', async () => {
  const events: string[] = [];
  expect(await ensureBrowser((line) => events.push(line), installer(undefined, events, browser))).toBe(
    browser,
  );
  expect(events).toEqual([]);
});

test("Playwright's download is tried first", async () => {
  const events: string[] = [];
  expect(await ensureBrowser(() => undefined, installer('install chromium', events))).toBe(browser);
  expect(events).toEqual([expect.stringMatching(/^node .*cli\.js install chromium$/)]);
});

test('if the download fails, the package is installed, after a message', async () => {
  const events: string[] = [];
  await ensureBrowser(
    (line) => events.push(line),
    installer('apt-get -o DPkg::Lock::Timeout=300 install', events),
  );
  expect(events).toEqual([
    expect.stringContaining('npx playwright install chromium'),
    expect.stringMatching(/^node /),
    expect.stringContaining('the package `chromium`'),
    expect.stringMatching(/^apt-get .*update$/),
    expect.stringMatching(/^apt-get .*install -y --no-install-recommends chromium fonts-liberation$/),
    expect.stringMatching(/^apt-get .*install -y --no-install-recommends chromium-headless-shell$/),
  ]);
});

test('if no way works, the error says what to do', async () => {
  await expect(ensureBrowser(() => undefined, installer(undefined, []))).rejects.toMatchObject({
    code: 'BROWSER_FAILED',
    hint: expect.stringContaining('npx playwright install'),
  });
});

test('packages are installed by root on Debian and its family only', () => {
  const programs = (isRoot: boolean, osRelease: string): number =>
    installationsFor({ isRoot, osRelease }).filter(({ commands }) => commands[0]?.[0] === 'apt-get').length;
  expect(programs(true, debian)).toBe(1);
  expect(programs(true, mint)).toBe(1);
  expect(programs(true, fedora)).toBe(0);
  expect(programs(true, '')).toBe(0);
  expect(programs(false, debian)).toBe(0);
});
