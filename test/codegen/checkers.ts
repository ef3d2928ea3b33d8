import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import playwright from 'eslint-plugin-playwright';
import prettier from 'prettier';
import tseslint from 'typescript-eslint';
import type { EmittedFile, EmittedOptions } from './emitted.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Where the files seem to lie: inside the project, so that @playwright/test is found. */
const folder = path.join(root, 'generated-tests');

/** The native compiler, in a process: a check takes a tenth of the time that TypeScript's library takes for the first. */
const compiler = path.join(root, 'node_modules', 'typescript-7', 'bin', 'tsc');
const compilerOptions =
  '--noEmit --ignoreConfig --pretty false --strict --noUnusedLocals --allowJs --checkJs --skipLibCheck --target ES2022 --module ESNext --moduleResolution bundler --types node';

const eslint = new ESLint({
  cwd: root,
  overrideConfigFile: true,
  overrideConfig: [
    { ...playwright.configs['flat/recommended'], files: ['**/*.{ts,js}'] },
    { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } },
  ],
});

/** What TypeScript, ESLint and Prettier find, one text each. */
export async function findingsIn(files: readonly EmittedFile[], options: EmittedOptions): Promise<string[]> {
  const perFile = await Promise.all(
    files.map(async (file) => [...(await lint(file, options)), ...(await checkFormat(file))]),
  );
  return [...(await compile(files)), ...perFile.flat()];
}

async function compile(files: readonly EmittedFile[]): Promise<string[]> {
  await mkdir(path.join(root, 'test-results'), { recursive: true });
  const directory = await mkdtemp(path.join(root, 'test-results', 'compiled-'));
  for (const { name, content } of files) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), content);
  }
  const args = [compiler, ...compilerOptions.split(' '), ...files.map(({ name }) => name)];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: directory }, (error, stdout, stderr) => {
      resolve(error === null ? '' : stdout + stderr || error.message);
    });
  });
  await rm(directory, { recursive: true });
  return output
    .split(/\r?\n/)
    .filter(Boolean)
    .map((line) => `tsc ${line.replace(/^(?:.*\/)?([^/]+)\((\d+),\d+\): error \w+:/, '$1:$2')}`);
}

async function lint({ name, content }: EmittedFile, { asserted = true }: EmittedOptions): Promise<string[]> {
  const results = await eslint.lintText(content, { filePath: path.join(folder, name) });
  return results
    .flatMap(({ messages }) => messages)
    .filter(({ ruleId }) => asserted || ruleId !== 'playwright/expect-expect')
    .map(({ ruleId, line, message }) => `eslint ${name}:${line} ${ruleId ?? ''} ${message}`);
}

async function checkFormat({ name, content }: EmittedFile): Promise<string[]> {
  const formatted = await prettier.check(content, { filepath: name });
  return formatted ? [] : [`prettier ${name}`];
}
