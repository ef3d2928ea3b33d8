import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** A change to the source of an application that can be switched on in the browser. */
export interface Mutant {
  id: string;
  /** Path of the file in its package. */
  file: string;
  line: number;
  /** Name of the mutator, such as `StringLiteral`. */
  mutator: string;
  original: string;
  replacement: string;
}

export interface Instrumented {
  /** Source by file name, with all mutants in it and none of them active. */
  files: Map<string, string>;
  mutants: Mutant[];
}

const isOff = (): boolean => false;
const ignore = (): void => undefined;
const silent = {
  isTraceEnabled: isOff,
  isDebugEnabled: isOff,
  isInfoEnabled: isOff,
  isWarnEnabled: isOff,
  isErrorEnabled: isOff,
  isFatalEnabled: isOff,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
};

/** Puts all mutants into the source of an application. `sources`: JavaScript or JSX by file name. */
export async function instrument(sources: ReadonlyMap<string, string>): Promise<Instrumented> {
  const files = [...sources].map(([name, content]) => ({ name, content, mutate: true }));
  const { Instrumenter } = await import('@stryker-mutator/instrumenter');
  const result = await new Instrumenter(silent).instrument(files, {
    plugins: null,
    excludedMutations: [],
    ignorers: [],
  });
  return {
    files: new Map(result.files.map(({ name, content }) => [name, content])),
    mutants: result.mutants.map(({ id, fileName, location, mutatorName, replacement }) => ({
      id,
      file: fileName,
      line: location.start.line + 1,
      mutator: mutatorName,
      original: excerpt(sources.get(fileName) ?? '', location),
      replacement,
    })),
  };
}

interface Location {
  start: { line: number; column: number };
  end: { line: number; column: number };
}

/** The source at a location, whose lines and columns count from 0. */
function excerpt(source: string, { start, end }: Location): string {
  const lines = source.split('\n').slice(start.line, end.line + 1);
  const last = lines.length - 1;
  return lines
    .map((line, index) => line.slice(index === 0 ? start.column : 0, index === last ? end.column : undefined))
    .join('\n');
}

/** Reads files of a folder by their paths in it. */
export async function readSources(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, string]> => [
        name,
        await readFile(path.join(folder, name), 'utf8'),
      ]),
    ),
  );
}

/** Bundles for the browser; files of `folder` that were instrumented replace those on disk. */
export async function bundle(
  folder: string,
  files: ReadonlyMap<string, string>,
  options: Omit<BuildOptions, 'write' | 'plugins'>,
): Promise<string> {
  const replace: Plugin = {
    name: 'instrumented',
    setup(setup) {
      setup.onLoad({ filter: /\.js$/ }, ({ path: file }) => {
        const contents = files.get(path.relative(folder, file).split(path.sep).join('/'));
        return contents === undefined ? undefined : { contents, loader: 'jsx' };
      });
    },
  };
  const { outputFiles } = await build({
    bundle: true,
    target: 'es2022',
    loader: { '.js': 'jsx' },
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    logLevel: 'error',
    ...options,
    write: false,
    plugins: [replace],
  });
  return outputFiles.map(({ text }) => text).join('\n');
}
