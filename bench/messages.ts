import { runOurs, runPlain } from './drivers.js';
import { flows } from './flows.js';

/** Counts the protocol messages to the browser in each flow: a measure that other load on the machine hardly changes. */
const [only] = process.argv.slice(2);
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const print = (...columns: string[]): void => {
  console.log(columns.map((column) => column.padStart(16)).join(''));
};

print('', 'actions', 'plain', 'no autoAssert', 'autoAssert');
for (const flow of flows) {
  if (only !== undefined && flow.name !== only) continue;
  const site = await flow.start();
  try {
    const asserting = await runOurs(flow, site.url, { autoAssert: true, counts: true });
    const quiet = await runOurs(flow, site.url, { autoAssert: false, counts: true });
    const plain = await runPlain(site.url, quiet.statements, true);
    const ratio = (counts: readonly number[]): string =>
      `${sum(counts)} (${(sum(counts) / sum(plain.messages)).toFixed(2)}x)`;
    const actions = plain.messages.length;
    print(
      flow.name,
      String(actions),
      String(sum(plain.messages)),
      ratio(quiet.messages),
      ratio(asserting.messages),
    );
  } finally {
    await site.close();
  }
}
