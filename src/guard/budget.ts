import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { CodegenError } from '../model/errors.js';
import { ignoreMissing } from '../state/files.js';
import type { FilePlan } from './plan.js';
import type { Charge } from './counters.js';

/** How much may be written, in files and bytes. */
export interface Budget {
  maxFilesPerSession: number;
  maxBytesPerSession: number;
  maxFilesPerDay: number;
  maxBytesPerDay: number;
  maxFilesInDirectory: number;
  maxBytesInDirectory: number;
}

export interface Amount {
  files: number;
  bytes: number;
}

function amountOf(plans: readonly FilePlan[]): Amount {
  return { files: plans.length, bytes: plans.reduce((sum, { data }) => sum + data.length, 0) };
}

/** Throws QUOTA_EXCEEDED if a session that has written `before` has no room for the plans. */
export function checkSessionBudget(plans: readonly FilePlan[], before: Amount, budget: Budget): void {
  const { files, bytes } = amountOf(plans);
  refuseAbove(before.files + files, budget, 'maxFilesPerSession');
  refuseAbove(before.bytes + bytes, budget, 'maxBytesPerSession');
}

/** Throws QUOTA_EXCEEDED if the plans would make a directory, with all below it, larger than it may be. */
export async function checkDirectoryBudget(
  plans: readonly FilePlan[],
  directory: string,
  budget: Budget,
): Promise<void> {
  const files = plans.filter(({ before }) => before === undefined).length;
  const bytes = plans.reduce((sum, { data, before }) => sum + data.length - (before?.data.length ?? 0), 0);
  if (files <= 0 && bytes <= 0) return;
  const there = await amountIn(directory);
  if (files > 0) refuseAbove(there.files + files, budget, 'maxFilesInDirectory');
  if (bytes > 0) refuseAbove(there.bytes + bytes, budget, 'maxBytesInDirectory');
}

/** What the plans take of the quota of a day, which all grants share. */
export function dailyCharges(plans: readonly FilePlan[], budget: Budget): Charge[] {
  const { files, bytes } = amountOf(plans);
  const chargeOf = (key: 'maxFilesPerDay' | 'maxBytesPerDay', count: number): Charge => ({
    limit: { counter: `writes.${key}`, window: 'day', max: budget[key], scope: 'server' },
    rule: `writes.${key}`,
    count,
    code: 'QUOTA_EXCEEDED',
  });
  return [chargeOf('maxFilesPerDay', files), chargeOf('maxBytesPerDay', bytes)];
}

function refuseAbove(amount: number, budget: Budget, key: keyof Budget): void {
  if (amount <= budget[key]) return;
  const rule = key.endsWith('Directory') ? 'the output directory may hold' : 'a session may write';
  const unit = key.startsWith('maxFiles') ? 'files' : 'bytes';
  const message = `writes.${key}: ${rule} ${budget[key]} ${unit}; this would be ${amount}.`;
  throw new CodegenError('QUOTA_EXCEEDED', message, {
    hint: 'Write less, or ask the operator to raise the limit in the configuration.',
  });
}

/** The contents of a directory, except hidden ones and node_modules. */
async function amountIn(directory: string): Promise<Amount> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(ignoreMissing);
  let [files, bytes] = [0, 0];
  for (const each of entries ?? []) {
    if (each.name.startsWith('.') || each.name === 'node_modules') continue;
    const place = path.join(directory, each.name);
    if (each.isDirectory()) {
      const below = await amountIn(place);
      files += below.files;
      bytes += below.bytes;
    } else if (each.isFile()) {
      files += 1;
      bytes += (await lstat(place).catch(() => undefined))?.size ?? 0;
    }
  }
  return { files, bytes };
}
