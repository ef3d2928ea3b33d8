import type { BrowserContextOptions } from 'playwright';
import { CodegenError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import type { Use } from '../model/use.js';

/** A storage state by value, not by path: the guard reads the file. */
export type StorageState = Exclude<BrowserContextOptions['storageState'], string | undefined>;

/** Converts `use` to the options of a browser context, without `storageState`. */
export async function contextOptions(use: Use): Promise<BrowserContextOptions> {
  const { browserName, headless, testIdAttribute, device, storageState, ...own } = use;
  const described = device === undefined ? {} : await describedDevice(device);
  return {
    acceptDownloads: true,
    ...described,
    ...own,
  };
}

async function describedDevice(name: string): Promise<BrowserContextOptions> {
  const { devices } = await import('playwright');
  const device = Object.hasOwn(devices, name) ? devices[name] : undefined;
  if (device !== undefined) {
    const { defaultBrowserType, ...options } = device;
    return options;
  }
  const problem = `There is no device "${name}"${didYouMean(name, Object.keys(devices))}`;
  throw new CodegenError('INVALID_INPUT', problem, {
    hint: 'Use a name of Playwright\'s devices, e.g. "iPhone 15".',
  });
}
