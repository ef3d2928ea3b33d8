import { test } from './fixtures.js';

/**
 * The rows of a table, checked in one test: a test of its own takes as much CPU time as dozens of rows that need neither a
 * server nor a page. Every row is checked, and each that fails is named.
 */
export class Rows {
  readonly #rows: { name: string; check: () => unknown }[] = [];

  add(name: string, check: () => unknown): void {
    this.#rows.push({ name, check });
  }

  async check(): Promise<void> {
    const failures: string[] = [];
    for (const { name, check } of this.#rows)
      try {
        await test.step(name, async () => {
          await check();
        });
      } catch (error) {
        failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    if (this.#rows.length === 0) failures.push('There are no rows.');
    if (failures.length > 0) throw new Error(failures.join('\n\n'));
  }
}
