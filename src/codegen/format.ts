import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Language } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';

/** Characters of a source that is formatted. */
const maxSource = 1_000_000;
const limitMs = 60_000;

/** Babel's parsers print the same as TypeScript's here, in less time. */
const parsers = { typescript: 'babel-ts', javascript: 'babel' };

/** Formatting deeply nested code a second time can change it, so Prettier runs until its output is stable. */
const script = `
const { parentPort, workerData } = require('node:worker_threads');
const { format } = require(workerData);
parentPort.on('message', async ({ source, parser }) => {
  try {
    let text = source;
    for (let round = 0, last; round < 4 && text !== last; round++) {
      last = text;
      text = await format(text, { parser });
    }
    parentPort.postMessage({ text });
  } catch (error) {
    parentPort.postMessage({ error: error.message });
  }
});`;

const answerSchema = z.union([z.strictObject({ text: z.string() }), z.strictObject({ error: z.string() })]);

let thread: Worker | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Formats code with Prettier's defaults, one source after another. A large source takes seconds, so that this runs in a
 * thread of its own. Throws FILE_TOO_LARGE, and an Error if the code is not valid.
 */
export async function formatted(source: string, language: Language): Promise<string> {
  if (source.length > maxSource)
    throw new CodegenError(
      'FILE_TOO_LARGE',
      `The file would have ${source.length} characters; ${maxSource} are allowed.`,
      { hint: 'Record less in one session.' },
    );
  const answering = queue.then(() => ask({ source, parser: parsers[language] }));
  queue = answering.catch(() => undefined);
  const answer = await answering;
  if ('error' in answer) throw new Error(answer.error);
  return answer.text;
}

async function ask(job: { source: string; parser: string }): Promise<z.infer<typeof answerSchema>> {
  const workerData = createRequire(import.meta.url).resolve('prettier');
  const worker = (thread ??= new Worker(script, { eval: true, workerData }));
  worker.ref();
  try {
    const answered = once(worker, 'message', { signal: AbortSignal.timeout(limitMs) });
    worker.postMessage(job);
    const answer = answerSchema.parse((await answered)[0]);
    worker.unref();
    return answer;
  } catch (error) {
    thread = undefined;
    void worker.terminate();
    throw error;
  }
}
