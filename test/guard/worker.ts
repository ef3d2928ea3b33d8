import { createInterface } from 'node:readline';
import { z } from 'zod';
import { limitSchema } from '../../src/model/policy.js';
import { emitted, openGuard, outcomeOf } from './workspace.js';

/**
 * A process of its own that writes through the guard: one JSON request a line on stdin, and on stdout one line for
 * each, with its outcome and what is left of the limit `writes`.
 */
const requestSchema = z.object({
  workspace: z.string(),
  limits: z.array(limitSchema).default([]),
  file: z.string(),
  body: z.string(),
  onConflict: z.enum(['fail', 'rename', 'overwrite']).default('fail'),
});

// Without a listener of our own, those of other packages end the process where a file grows beyond its limit.
process.on('SIGXFSZ', () => undefined);

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const { workspace, limits, file, body, onConflict } = requestSchema.parse(JSON.parse(line));
  const guard = openGuard(workspace, { limits });
  const writing = guard.write({ files: [{ file, content: emitted(body) }], onConflict });
  const outcome = await outcomeOf(writing.then(([written]) => written?.change));
  const { writes } = await guard.remaining('end');
  console.log(`${String(outcome)} ${writes ?? ''}`);
}
