import { z } from 'zod';
import { sha256 } from '../model/text.js';
import type { Changed } from '../state/store.js';

/** A call or event that has begun; what its line will hold at the least. */
const begunSchema = z.looseObject({ event: z.string(), time: z.string() });

export type Begun = z.infer<typeof begunSchema>;

/** The order of all lines, as the state keeps it. */
export const chainSchema = z.object({
  /** Lines that were ever written, and the hash of the last. */
  count: z.number(),
  head: z.string(),
  /** The order of the last line that has one, among those of all machines that share Redis. */
  order: z.number().default(0),
  /** Number of the file that is written to, and its size once all that is pending is in it. */
  file: z.number(),
  bytes: z.number(),
  /** The last lines, with their places, which may not be in their file yet. */
  pending: z.array(z.object({ line: z.number(), file: z.number(), at: z.number(), text: z.string() })),
  /** Calls that have begun and have no line yet, by id, with the name of the process that handles them. */
  open: z.record(z.string(), z.object({ begun: begunSchema, holder: z.string() })),
});

export type Chain = z.infer<typeof chainSchema>;

export const emptyChain: Chain = {
  count: 0,
  head: '',
  order: 0,
  file: 1,
  bytes: 0,
  pending: [],
  open: {},
};

/** A file that would grow beyond this many bytes is closed, and the next one begun. */
const fileBytes = 16 * 1024 * 1024;

/** Notes that something begins. */
export function beginLine(chain: Chain, id: string, begun: Begun, holder: string): Changed<Chain, Chain> {
  const state = { ...chain, open: { ...chain.open, [id]: { begun, holder } } };
  return { state, result: state };
}

/**
 * Adds the line of what has begun, and forgets pending lines up to number `known`, which are in their files. Does
 * nothing if the line has been added already, or if the last line has a later `order`: the line is then still
 * open, and needs another.
 */
export function endLine(
  chain: Chain,
  id: string,
  outcome: object,
  { known, order }: { known: number; order?: number | undefined },
): Changed<Chain, Chain> {
  const { [id]: entry, ...open } = chain.open;
  if (entry === undefined || (order !== undefined && order <= chain.order))
    return { state: chain, result: chain };
  const line = chain.count + 1;
  const json = JSON.stringify({ line, prev: chain.head, order, ...entry.begun, ...outcome });
  const text = `${json}\n`;
  const size = Buffer.byteLength(text);
  const isFull = chain.bytes > 0 && chain.bytes + size > fileBytes;
  const file = isFull ? chain.file + 1 : chain.file;
  const at = isFull ? 0 : chain.bytes;
  const state = {
    count: line,
    head: sha256(json),
    order: order ?? chain.order,
    file,
    bytes: at + size,
    pending: [...chain.pending.filter((each) => each.line > known), { line, file, at, text }],
    open,
  };
  return { state, result: state };
}

/** Continues in another file, with the pending lines that were not written to the one that was `left`. */
export function moveOn(
  chain: Chain,
  left: number,
  file: number,
  withPending: boolean,
): Changed<Chain, Chain> {
  if (chain.file !== left) return { state: chain, result: chain };
  let bytes = 0;
  const pending = chain.pending.map((each) => {
    if (each.file !== left || !withPending) return each;
    const at = bytes;
    bytes += Buffer.byteLength(each.text);
    return { ...each, file, at };
  });
  const state = { ...chain, file, bytes, pending };
  return { state, result: state };
}
