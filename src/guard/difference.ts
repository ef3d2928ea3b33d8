import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { toWrittenFile, type FilePlan } from './plan.js';

/** Milliseconds that finding a difference may take; then the whole new file is shown. */
const limitMs = 1000;

/** What an approval of plans is bound to: each path, with the hashes before and after. */
export function boundFiles(plans: readonly FilePlan[]): unknown[] {
  return plans
    .map(toWrittenFile)
    .map(({ path, sha256Before = null, sha256 }) => [path, sha256Before, sha256]);
}

/** What plans change, as a unified diff. */
export function differenceOf(plans: readonly FilePlan[]): string {
  return plans.map(differenceOfFile).join('\n');
}

function differenceOfFile({ target, data, before }: FilePlan): string {
  const name = target.relative;
  if (data.includes(0))
    return `${name}: ${before === undefined ? 'new' : 'changed'} image of ${data.length} bytes`;
  return patchOf(name, before?.data.toString(), data.toString());
}

/** How a file changes, as a unified diff; empty if it does not. `before` is undefined for a new file. */
export function patchOf(name: string, before: string | undefined, now: string): string {
  if (before === now) return '';
  const from = before === undefined ? '/dev/null' : name;
  const patch = createTwoFilesPatch(from, name, before ?? '', now, undefined, undefined, {
    timeout: limitMs,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? `--- ${from}\n+++ ${name}\nIt becomes:\n${now}`;
}
