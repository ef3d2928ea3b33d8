import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { ESLint } from 'eslint';
import playwright from 'eslint-plugin-playwright';
import prettier from 'prettier';
import ts from 'typescript';
import tseslint from 'typescript-eslint';
import type { EmittedFile, EmittedOptions } from './emitted.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Where the files seem to lie: inside the project, so that @playwright/test is found. */
const folder = path.join(root, 'generated-tests');

const compilerOptions: ts.CompilerOptions = {
  strict: true,
  noUnusedLocals: true,
  noEmit: true,
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: ['node'],
};

const diskHost = ts.createCompilerHost(compilerOptions);
const parsed = new Map<string, ts.SourceFile | undefined>();
let program: ts.Program | undefined;

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
  return [...compile(files), ...perFile.flat()];
}

function compile(files: readonly EmittedFile[]): string[] {
  const contents = new Map(files.map(({ name, content }) => [path.join(folder, name), content]));
  const host: ts.CompilerHost = {
    ...diskHost,
    directoryExists: (name) =>
      [...contents.keys()].some((file) => file.startsWith(path.join(name, path.sep))) ||
      ts.sys.directoryExists(name),
    fileExists: (name) => contents.has(path.normalize(name)) || diskHost.fileExists(name),
    getSourceFile(name, target) {
      const content = contents.get(path.normalize(name));
      if (content !== undefined) return ts.createSourceFile(name, content, target);
      if (!parsed.has(name)) parsed.set(name, diskHost.getSourceFile(name, target));
      return parsed.get(name);
    },
  };
  program = ts.createProgram([...contents.keys()], compilerOptions, host, program);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `tsc ${path.basename(file?.fileName ?? '')}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
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
