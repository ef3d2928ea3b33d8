import { runOurs, runPlain, type Run } from './drivers.js';
import { flows, type Flow } from './flows.js';

/** Counts the protocol messages to the browser in each flow: a measure that other load on the machine hardly changes. */
const [only] = process.argv.slice(2);
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const print = (...columns: string[]): void => {
  console.log(columns.map((column) => column.padStart(16)).join(''));
};

print('', 'actions', 'plain', 'no autoAssert', 'autoAssert');
for (const flow of flows) {
  if (only !== undefined && flow.name !== only) continue;
  const asserting = await onFreshSite(flow, (url) => runOurs(flow, url, { autoAssert: true, counts: true }));
  const quiet = await onFreshSite(flow, (url) => runOurs(flow, url, { autoAssert: false, counts: true }));
  const plain = await onFreshSite(flow, (url) => runPlain(url, quiet.statements, true));
  const ratio = (counts: readonly number[]): string =>
    `${sum(counts)} (${(sum(counts) / sum(plain.messages)).toFixed(2)}x)`;
  print(
    flow.name,
    String(plain.messages.length),
    String(sum(plain.messages)),
    ratio(quiet.messages),
    ratio(asserting.messages),
  );
}

/** Runs a flow on an application that no earlier run has changed. */
async function onFreshSite(flow: Flow, run: (url: string) => Promise<Run>): Promise<Run> {
  const site = await flow.start();
  try {
    return await run(site.url);
  } finally {
    await site.close();
  }
}
