import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Language } from '../model/emission.js';
import { CodegenError, messageOf } from '../model/errors.js';
import type { CodeStyle } from './format.js';

/** The templates that come with this package. */
const ownDirectory = fileURLToPath(new URL('../../templates/', import.meta.url));

/** The templates of one name: `<name>.eta` for specs and, optionally, `<name>.page.eta` for page objects. */
export interface TestTemplate {
  name: string;
  /** Eta resolves includes from here. */
  directory: string;
  /** Whether `<name>.page.eta` exists. */
  hasPages: boolean;
}

/**
 * Finds a template by name; the user's take precedence. Throws INVALID_INPUT with the available names, and
 * CONFIG_INVALID if the user's directory can't be read.
 */
export async function findTemplate(name: string, userDirectory: string | undefined): Promise<TestTemplate> {
  const found = await templatesIn(userDirectory);
  const template = found.find((each) => each.name === name);
  if (template !== undefined) return template;
  throw new CodegenError('INVALID_INPUT', `There is no template ${JSON.stringify(name)}.`, {
    hint: `Templates: ${[...new Set(found.map((each) => each.name))].join(', ')}. Add your own as <name>.eta in output.templatesDir.`,
  });
}

async function templatesIn(userDirectory: string | undefined): Promise<TestTemplate[]> {
  const directories = [...(userDirectory === undefined ? [] : [userDirectory]), ownDirectory];
  const found = await Promise.all(
    directories.map(async (directory) => {
      const files = await readdir(directory).catch((error: unknown) => {
        throw new CodegenError('CONFIG_INVALID', `output.templatesDir: ${messageOf(error)}.`, {
          hint: 'Create the directory, or correct output.templatesDir; set it to null to use only built-in templates.',
        });
      });
      const names = files.flatMap((file) => /^([^.]+)\.eta$/.exec(file)?.[1] ?? []);
      return names.sort().map((name) => ({ name, directory, hasPages: files.includes(`${name}.page.eta`) }));
    }),
  );
  return found.flat();
}

let preloaded: Promise<unknown> | undefined;

/** Loads what renders and formats a test, which takes longer than its use. */
export function preloadRenderer(): void {
  preloaded ??= Promise.allSettled([
    import('eta'),
    import('./format.js').then(({ formatted }) => formatted('', 'typescript')),
  ]);
}

/** Renders a template and formats the result with Prettier. Throws CONFIG_INVALID if any of that fails. */
export async function renderTemplate(
  { name, directory }: TestTemplate,
  part: 'spec' | 'page',
  data: { language: Language },
  style?: CodeStyle,
): Promise<string> {
  const view = part === 'spec' ? name : `${name}.page`;
  const file = path.join(directory, `${view}.eta`);
  const broken = (what: string, cause: unknown) =>
    new CodegenError('CONFIG_INVALID', `The template ${view}.eta ${what}: ${messageOf(cause)}`, {
      hint: `Correct ${file}, or use the template "plain".`,
      cause,
    });
  const { Eta } = await import('eta');
  const eta = new Eta({
    views: directory,
    autoEscape: false,
    autoTrim: false,
    // Adds the line to errors.
    debug: directory !== ownDirectory,
  });
  let source: string;
  try {
    source = eta.render(`./${view}.eta`, data);
  } catch (error) {
    throw broken('fails', error);
  }
  const { formatted } = await import('./format.js');
  try {
    return await formatted(source, data.language, style?.options);
  } catch (error) {
    if (error instanceof CodegenError) throw error;
    throw broken(`does not produce valid ${data.language}`, error);
  }
}
