import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext, type Context } from 'node:vm';
import { CodegenError, messageOf } from '../model/errors.js';

/** The templates that come with this package. */
const ownDirectory = fileURLToPath(new URL('../../templates/', import.meta.url));

/** Milliseconds that a template may take. */
const limitMs = 2000;

let realm: Context | undefined;

/** How often Prettier formats a text at most until it stays as it is. */
const roundsAtMost = 4;

/** How tests are written: the templates of one name. */
export interface Template {
  name: string;
  /** The directory that holds them, which Eta resolves includes from. */
  directory: string;
  /** Whether flows are written with page objects, by `<name>.page.eta`. */
  hasPages: boolean;
}

/**
 * The template of a name, the user's own before ours. Throws INVALID_INPUT with the names that there are, and
 * CONFIG_INVALID where the user's directory can't be read.
 */
export async function findTemplate(name: string, userDirectory: string | undefined): Promise<Template> {
  const found = await templatesIn(userDirectory);
  const template = found.find((each) => each.name === name);
  if (template !== undefined) return template;
  throw new CodegenError('INVALID_INPUT', `There is no template ${JSON.stringify(name)}.`, {
    hint: `Templates: ${[...new Set(found.map((each) => each.name))].join(', ')}. Others are files <name>.eta in output.templatesDir.`,
  });
}

async function templatesIn(userDirectory: string | undefined): Promise<Template[]> {
  const directories = [...(userDirectory === undefined ? [] : [userDirectory]), ownDirectory];
  const found = await Promise.all(
    directories.map(async (directory) => {
      const files = await readdir(directory).catch((error: unknown) => {
        throw new CodegenError('CONFIG_INVALID', `output.templatesDir: ${messageOf(error)}.`, {
          hint: 'Create the directory, or correct output.templatesDir; null does without.',
        });
      });
      const names = files.flatMap((file) => /^([^.]+)\.eta$/.exec(file)?.[1] ?? []);
      return names.sort().map((name) => ({ name, directory, hasPages: files.includes(`${name}.page.eta`) }));
    }),
  );
  return found.flat();
}

/**
 * What a template makes of its data, formatted as Prettier does by default. One that can't be read, fails, takes too
 * long, or yields what does not parse is CONFIG_INVALID.
 */
export async function render(
  { name, directory }: Template,
  part: 'spec' | 'page',
  data: { language: 'typescript' | 'javascript' },
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
    // Has errors tell the line.
    debug: directory !== ownDirectory,
  });
  let source: unknown;
  try {
    // A realm is costly to make.
    realm ??= createContext({});
    source = runInContext(
      'render()',
      Object.assign(realm, { render: () => eta.render(`./${view}.eta`, data) }),
      { timeout: limitMs },
    );
  } catch (error) {
    throw broken('fails', error);
  }
  const { format } = await import('prettier');
  try {
    // Babel's parsers print the same as TypeScript's here, in less time.
    const options = { parser: data.language === 'typescript' ? 'babel-ts' : 'babel' };
    let text = await format(String(source), options);
    // What is deeply nested comes out otherwise when it is formatted again.
    for (let round = 1; round < roundsAtMost; round++) {
      const again = await format(text, options);
      if (again === text) break;
      text = again;
    }
    return text;
  } catch (error) {
    throw broken(`yields what is not ${data.language}`, error);
  }
}
