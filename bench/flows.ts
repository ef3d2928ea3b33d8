import { runOurs, runPlain, runPlaywrightMcp, runShell, type Run } from './drivers.js';
import { flows, type Flow } from './flow-list.js';
import { runPlaywrightCli } from './playwright-cli.js';

/**
 * Compares, in one run, plain Playwright (the emitted statements without automatic assertions), this server without and
 * with `autoAssert`, this server from a shell, Playwright MCP, and playwright-cli: median time, bytes that an agent reads, and protocol messages to the browser.
 */
const [only] = process.argv.slice(2);
const rounds = 3;

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
const print = (...columns: string[]): void => {
  console.log(columns.map((column, index) => column.padEnd(index === 0 ? 26 : 18)).join(''));
};

for (const flow of flows) {
  if (only !== undefined && flow.name !== only) continue;
  const { statements } = await onFreshSite(flow, (url) =>
    runOurs(flow, url, { autoAssert: false, counts: false }),
  );
  const ways: Record<string, (url: string, counts: boolean) => Promise<Run>> = {
    'plain Playwright': (url, counts) => runPlain(url, statements, counts),
    'without autoAssert': (url, counts) => runOurs(flow, url, { autoAssert: false, counts }),
    'with autoAssert': (url, counts) => runOurs(flow, url, { autoAssert: true, counts }),
    'from a shell': (url) => runShell(flow, url),
    'Playwright MCP': (url, counts) => runPlaywrightMcp(flow, url, counts),
    'playwright-cli': (url) => runPlaywrightCli(flow, url),
  };
  const timed: Record<string, Run[]> = {};
  // The rounds alternate, so that other load on the machine meets every way.
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways))
      (timed[name] ??= []).push(await onFreshSite(flow, (url) => run(url, false)));
  }
  print(flow.name, 'ms', 'bytes to read', 'messages');
  let plain: { ms: number; messages: number } | undefined;
  for (const [name, run] of Object.entries(ways)) {
    const runs = timed[name] ?? [];
    const ms = median(runs.map((each) => each.ms));
    // Counted apart: the log of the messages costs time.
    const messages = sum((await onFreshSite(flow, (url) => run(url, true))).messages);
    plain ??= { ms, messages };
    print(
      `  ${name}`,
      `${ms.toFixed(0)} (${(ms / plain.ms).toFixed(2)}x)`,
      String(median(runs.map(({ bytes }) => bytes))),
      messages === 0 ? '' : `${messages} (${(messages / plain.messages).toFixed(2)}x)`,
    );
  }
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
