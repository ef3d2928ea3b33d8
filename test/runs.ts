/**
 * Runs of a property test: a quarter of `count`. Every run of the suite draws other values, and CI runs it seven times, on
 * several systems and versions of Node.js.
 */
export function runs(count: number): number {
  return Math.ceil(count / 4);
}
