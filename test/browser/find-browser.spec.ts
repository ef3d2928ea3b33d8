import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findBrowser, launchOptions, type Machine } from '../../src/browser/find-browser.js';
import { expect, test } from '../fixtures.js';
import { Rows } from '../rows.js';

/** A machine on which only these files can be executed. */
function machine(
  platform: NodeJS.Platform,
  executables: string[],
  environment: NodeJS.ProcessEnv = {},
): Machine {
  return {
    platform,
    environment,
    home: '/home/ada',
    isExecutable: (file) => executables.includes(file),
    playwrightChromium: () => Promise.resolve('/cache/ms-playwright/chrome'),
  };
}

const linuxPath = { PATH: '/usr/local/bin::bin:/usr/bin' };
const windowsRoots = {
  PROGRAMFILES: 'C:\\Program Files',
  'PROGRAMFILES(X86)': 'C:\\Program Files (x86)',
  LOCALAPPDATA: 'C:\\Users\\ada\\AppData\\Local',
};

const found = new Rows();
for (const [name, where, expected] of [
  ['Chrome in PATH', machine('linux', ['/usr/bin/google-chrome'], linuxPath), '/usr/bin/google-chrome'],
  [
    'Chrome where its package puts it',
    machine('linux', ['/opt/google/chrome/chrome']),
    '/opt/google/chrome/chrome',
  ],
  [
    'Chromium',
    machine('linux', ['/usr/local/bin/chromium-browser'], linuxPath),
    '/usr/local/bin/chromium-browser',
  ],
  ['Edge', machine('linux', ['/usr/bin/microsoft-edge-stable'], linuxPath), '/usr/bin/microsoft-edge-stable'],
  [
    'Chrome before Chromium and Edge',
    machine(
      'linux',
      ['/usr/bin/microsoft-edge', '/usr/bin/chromium', '/opt/google/chrome/chrome'],
      linuxPath,
    ),
    '/opt/google/chrome/chrome',
  ],
  [
    'the headless shell before a whole browser',
    machine('linux', ['/usr/bin/chromium', '/usr/bin/chromium-headless-shell'], linuxPath),
    '/usr/bin/chromium-headless-shell',
  ],
  [
    "Playwright's own before what is installed",
    machine('linux', ['/usr/bin/google-chrome', '/cache/ms-playwright/chrome'], linuxPath),
    '/cache/ms-playwright/chrome',
  ],
  [
    'Chrome of a user on macOS',
    machine('darwin', ['/home/ada/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']),
    '/home/ada/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  [
    'Edge on macOS',
    machine('darwin', ['/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge']),
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  [
    'Chrome of a user on Windows',
    machine(
      'win32',
      ['C:\\Users\\ada\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe'],
      windowsRoots,
    ),
    'C:\\Users\\ada\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe',
  ],
  [
    'Edge on Windows',
    machine('win32', ['C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe'], windowsRoots),
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
] as const)
  found.add(`finds ${name}`, async () => {
    expect((await findBrowser({}, where))?.executablePath).toBe(expected);
  });
test('browsers are found on every system', () => found.check());

test('finds nothing if no browser is installed, and never looks in the current directory', async () => {
  expect(
    await findBrowser({}, machine('linux', ['bin/chromium', 'chromium', '/bin/sh'], linuxPath)),
  ).toBeUndefined();
  expect(await findBrowser({}, machine('win32', []))).toBeUndefined();
});

test('a configured executable or channel is used, and no substitute', async () => {
  const both = machine(
    'linux',
    ['/usr/bin/chromium', '/usr/bin/google-chrome-beta', '/my/chrome'],
    linuxPath,
  );
  expect(
    (await findBrowser({ executablePath: '/my/chrome', channel: 'chromium' }, both))?.executablePath,
  ).toBe('/my/chrome');
  expect(await findBrowser({ executablePath: '/nowhere' }, both)).toBeUndefined();
  expect((await findBrowser({ channel: 'chrome-beta' }, both))?.executablePath).toBe(
    '/usr/bin/google-chrome-beta',
  );
  expect((await findBrowser({ channel: 'chromium' }, both))?.executablePath).toBe('/usr/bin/chromium');
  expect(await findBrowser({ channel: 'msedge' }, both)).toBeUndefined();
  expect((await findBrowser({ channel: null, executablePath: null }, both))?.executablePath).toBe(
    '/usr/bin/chromium',
  );
});

test('the headless shell is never used with a window', async () => {
  const both = machine('linux', ['/usr/bin/chromium', '/usr/bin/chromium-headless-shell'], linuxPath);
  expect((await findBrowser({ headless: false }, both))?.executablePath).toBe('/usr/bin/chromium');
});

test('every channel is known by the paths that Playwright knows', async () => {
  for (const [channel, executable, windows] of [
    ['chrome-dev', '/opt/google/chrome-unstable/chrome', 'Google\\Chrome Dev\\Application\\chrome.exe'],
    ['chrome-canary', '/opt/google/chrome-canary/chrome', 'Google\\Chrome SxS\\Application\\chrome.exe'],
    ['msedge-beta', '/opt/microsoft/msedge-beta/msedge', 'Microsoft\\Edge Beta\\Application\\msedge.exe'],
    ['msedge-dev', '/opt/microsoft/msedge-dev/msedge', 'Microsoft\\Edge Dev\\Application\\msedge.exe'],
  ] as const) {
    expect((await findBrowser({ channel }, machine('linux', [executable])))?.executablePath).toBe(executable);
    const file = `C:\\Program Files\\${windows}`;
    expect((await findBrowser({ channel }, machine('win32', [file], windowsRoots)))?.executablePath).toBe(
      file,
    );
  }
});

test('only a file that can be executed counts, and a stub that asks for a snap does not', async () => {
  const directory = test.info().outputPath('bin');
  await mkdir(path.join(directory, 'folder'), { recursive: true });
  const file = async (name: string, text: string, mode: number): Promise<string> => {
    await writeFile(path.join(directory, name), text);
    await chmod(path.join(directory, name), mode);
    return path.join(directory, name);
  };
  const script = await file('chromium', '#!/bin/sh\n', 0o755);
  const plain = await file('notes.txt', 'hello', 0o644);
  const stub = await file(
    'chromium-browser',
    '#!/bin/sh\necho "requires the chromium snap to be installed"',
    0o755,
  );
  await symlink(path.join(directory, 'gone'), path.join(directory, 'dangling'));

  const found = async (executablePath: string): Promise<boolean> =>
    (await findBrowser({ executablePath })) !== undefined;
  expect(await found(script)).toBe(true);
  expect(await found(path.join(directory, 'folder'))).toBe(false);
  expect(await found(path.join(directory, 'dangling'))).toBe(false);
  // Windows knows no right to execute.
  if (process.platform !== 'win32') expect(await found(plain)).toBe(false);
  expect(await found(stub)).toBe(await found('/snap/bin/chromium'));
});

test('the browser of this machine starts, in its sandbox if possible', async ({ playwright }) => {
  const found = await findBrowser();
  expect(found, 'npm run browser installs one').toBeDefined();
  if (found === undefined) return;
  const options = launchOptions(found);
  if (process.getuid?.() === 0 && process.platform === 'linux') expect(options.chromiumSandbox).toBe(false);
  const browser = await playwright.chromium.launch(options);
  expect(browser.isConnected()).toBe(true);
  await browser.close();
});
