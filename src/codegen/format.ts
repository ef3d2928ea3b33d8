import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Language } from '../model/emission.js';
import { CodegenError } from '../model/errors.js';

/** Maximum length of a source that is formatted. */
const maxSource = 1_000_000;
const limitMs = 60_000;

/** Babel's parsers print the same as TypeScript's here, in less time. */
const parsers = { typescript: 'babel-ts', javascript: 'babel' };

/** Options of Prettier that a project may set. */
const optionsSchema = z.object({
  printWidth: z.int().min(20).max(500).optional().catch(undefined),
  tabWidth: z.int().min(0).max(16).optional().catch(undefined),
  useTabs: z.boolean().optional().catch(undefined),
  semi: z.boolean().optional().catch(undefined),
  singleQuote: z.boolean().optional().catch(undefined),
  bracketSpacing: z.boolean().optional().catch(undefined),
  quoteProps: z.enum(['as-needed', 'consistent', 'preserve']).optional().catch(undefined),
  trailingComma: z.enum(['all', 'es5', 'none']).optional().catch(undefined),
  arrowParens: z.enum(['always', 'avoid']).optional().catch(undefined),
  objectWrap: z.enum(['preserve', 'collapse']).optional().catch(undefined),
});

/** How a project writes code. */
export interface CodeStyle {
  options: z.infer<typeof optionsSchema>;
  /** Whether they are those of the project's Prettier. */
  isConfigured?: true;
  /** Whether modules are imported with `require`. */
  commonJs: boolean;
  /** How imports name modules of TypeScript; undefined if nothing says so. */
  importEnding?: '' | '.js' | '.ts' | undefined;
  /** Whether `expect` is imported before `test`. */
  expectFirst?: true;
  /** Whether modules of other directories are imported before those of the spec's own. */
  parentsFirst?: true;
}

/** Formatting deeply nested code a second time can change it, so Prettier runs until its output is stable. */
const script = `
const { parentPort, workerData } = require('node:worker_threads');
const { sep } = require('node:path');
const { format, resolveConfig, resolveConfigFile } = require(workerData);
parentPort.on('message', async ({ source, parser, options, file, root }) => {
  try {
    if (file !== undefined) {
      const config = await resolveConfigFile(file);
      const isOwn = config !== null && config.startsWith(root + sep);
      const found = isOwn ? await resolveConfig(file, { config, useCache: false }) : null;
      parentPort.postMessage(found === null ? {} : { file: config, options: JSON.stringify(found) });
      return;
    }
    let text = source;
    for (let round = 0, last; round < 4 && text !== last; round++) {
      last = text;
      text = await format(text, { ...options, parser });
    }
    parentPort.postMessage({ text });
  } catch (error) {
    parentPort.postMessage({ error: error.message });
  }
});`;

const answerSchema = z.object({
  text: z.string().optional(),
  error: z.string().optional(),
  file: z.string().optional(),
  options: z.string().optional(),
});

let thread: Worker | undefined;
let queue: Promise<unknown> = Promise.resolve();

/**
 * Formats code with Prettier, by default with its defaults, one source after another. A large source takes seconds, so that
 * this runs in a thread of its own. Throws FILE_TOO_LARGE, and an Error if the code is not valid.
 */
export async function formatted(
  source: string,
  language: Language,
  options: CodeStyle['options'] = {},
): Promise<string> {
  if (source.length > maxSource)
    throw new CodegenError(
      'FILE_TOO_LARGE',
      `The file would have ${source.length} characters; ${maxSource} are allowed.`,
      { hint: 'Record less in one session.' },
    );
  const { text, error } = await inTurn({ source, parser: parsers[language], options });
  if (text === undefined) throw new Error(error);
  return text;
}

/** The options that the configuration of Prettier in a directory has for a file, and where it is; undefined without one. */
export async function prettierOptions(
  file: string,
  root: string,
): Promise<{ file: string; options: CodeStyle['options'] } | undefined> {
  const found = await inTurn({ file, root });
  if (found.file === undefined || found.options === undefined) return undefined;
  return { file: found.file, options: optionsSchema.parse(JSON.parse(found.options)) };
}

function inTurn(job: object): ReturnType<typeof ask> {
  const answering = queue.then(() => ask(job));
  queue = answering.catch(() => undefined);
  return answering;
}

async function ask(job: object): Promise<z.infer<typeof answerSchema>> {
  const workerData = createRequire(import.meta.url).resolve('prettier');
  // A configuration in JavaScript gets no variables of the server's.
  const worker = (thread ??= new Worker(script, { eval: true, workerData, env: {} }));
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
