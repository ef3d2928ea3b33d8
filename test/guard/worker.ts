import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { limitSchema } from '../../src/model/policy.js';
import { systemClock } from '../../src/state/clock.js';
import { emitted, openGuard, outcomeOf } from './workspace.js';

/**
 * A process of its own that works through the guard: one JSON request a line on stdin, and on stdout one line for each.
 * A write is answered with its outcome and what is left of the limit `writes`; many calls of `end` with a list of when
 * each began and ended, and whether it was admitted. These can have the process stop itself before every so many-th
 * step that the store takes on the disk; while it is stopped, there is a file with its number.
 */
const callsSchema = z.object({
  workspace: z.string(),
  limits: z.array(limitSchema),
  calls: z.number(),
  atOnce: z.number(),
  stopEvery: z.number().optional(),
  redis: z.string().optional(),
});
const writeSchema = z.object({
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
  const request = z.union([callsSchema, writeSchema]).parse(JSON.parse(line));
  console.log('calls' in request ? JSON.stringify(await call(request)) : await write(request));
}

async function write({
  workspace,
  limits,
  file,
  body,
  onConflict,
}: z.infer<typeof writeSchema>): Promise<string> {
  const guard = openGuard(workspace, { limits });
  const writing = guard.write({ files: [{ file, content: emitted(body) }], onConflict });
  const outcome = await outcomeOf(writing.then(([written]) => written?.change));
  const { writes } = (await guard.left('end')).remaining;
  return `${String(outcome)} ${writes ?? ''}`;
}

async function call({ workspace, limits, calls, atOnce, stopEvery, redis }: z.infer<typeof callsSchema>) {
  const guard = openGuard(workspace, { policy: { tools: { end: { limits } } }, redis });
  const restore = stopEvery === undefined ? undefined : stopBeforeSteps(stopEvery, workspace);
  const clock = systemClock();
  const made: { began: number; ended: number; outcome: unknown }[] = [];
  let left = calls;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        const began = clock.now().monotonic;
        const outcome = await outcomeOf(guard.admit({ tool: 'end' }).then(() => 'admitted'));
        made.push({ began, ended: clock.now().monotonic, outcome });
      }
    }),
  );
  restore?.();
  return made;
}

function stopBeforeSteps(every: number, workspace: string): () => void {
  const { readdirSync, readFileSync, mkdirSync, writeFileSync, renameSync } = fs;
  const original = { readdirSync, readFileSync, mkdirSync, writeFileSync, renameSync };
  const folder = path.join(workspace, '.codegen', 'state');
  const mark = path.join(workspace, `stopped-${process.pid}`);
  let steps = 0;
  for (const [name, step] of Object.entries(original))
    Object.assign(fs, {
      [name](...args: unknown[]): unknown {
        if (String(args[0]).startsWith(folder) && ++steps % every === 0) {
          writeFileSync(mark, '');
          process.kill(process.pid, 'SIGSTOP');
          fs.rmSync(mark);
        }
        return Reflect.apply(step, fs, args);
      },
    });
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, original);
    syncBuiltinESMExports();
  };
}
