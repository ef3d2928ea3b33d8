import { createInterface } from 'node:readline';
import { z } from 'zod';
import { limitSchema } from '../../src/model/policy.js';
import { emitted, openGuard, outcomeOf } from './workspace.js';

/**
 * A process of its own that writes through the guard: one JSON request a line on stdin, one word about each on stdout,
 * and what is left of the limit `writes` at the end.
 */
const settings = z
  .object({ workspace: z.string(), limits: z.array(limitSchema).default([]) })
  .parse(JSON.parse(process.argv[2] ?? ''));
const request = z.object({
  file: z.string(),
  body: z.string(),
  onConflict: z.enum(['fail', 'rename', 'overwrite']).default('fail'),
});
const guard = openGuard(settings.workspace, settings);

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const { file, body, onConflict } = request.parse(JSON.parse(line));
  const writing = guard.write({ files: [{ file, content: emitted(body) }], onConflict });
  console.log(await outcomeOf(writing.then(([written]) => written?.change)));
}
console.log(`remaining ${(await guard.remaining('end')).writes ?? 'unlimited'}`);
