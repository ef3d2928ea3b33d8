/**
 * Runs of a property test: all of them in CI, and a quarter elsewhere, where `npm test` runs often and draws other values
 * each time.
 */
export function runs(count: number): number {
  return process.env['CI'] === undefined ? Math.ceil(count / 4) : count;
}
