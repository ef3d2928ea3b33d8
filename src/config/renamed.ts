import { isRecord } from '../model/json.js';

/** A key of the configuration that has another name since a version. */
interface RenamedKey {
  /** Names from the top, such as `verify.timeout`. */
  from: string;
  to: string;
  since: string;
}

/** The renamed keys that still work, up to the next major version. */
export const renamedKeys: readonly RenamedKey[] = [];

/**
 * A configuration as read from its file, with the new names of its keys. The new name wins if both are there. `warn` is
 * called for each old key.
 */
export function withNewNames(
  document: unknown,
  warn: (message: string) => void,
  renamed: readonly RenamedKey[] = renamedKeys,
): unknown {
  let current = document;
  for (const { from, to, since } of renamed) {
    const value = valueAt(current, from.split('.'));
    if (value === undefined) continue;
    warn(`"${from}" is "${to}" since ${since}. The old name works until the next major version: rename it.`);
    const rest = withValue(current, from.split('.'), undefined);
    current = valueAt(rest, to.split('.')) === undefined ? withValue(rest, to.split('.'), value) : rest;
  }
  return current;
}

function valueAt(document: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return document;
  return isRecord(document) ? valueAt(document[name], rest) : undefined;
}

/** A copy with another value at a place; undefined removes it. */
function withValue(document: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const { [name]: old, ...others } = isRecord(document) ? document : {};
  const next = withValue(old, rest, value);
  return next === undefined ? others : { ...others, [name]: next };
}
