import {
  createNames,
  elementName,
  pascalCase,
  reservedMembers,
  variableName,
  wordsOf,
} from './identifiers.js';
import type { OwnPage } from './own-pages.js';
import type { PageMethod, PageObject } from './page-object.js';
import { syntaxOf } from './syntax.js';
import { Printer } from './printer.js';
import { comment } from './quote.js';
import type { ParameterData } from './template-data.js';
import { CodegenError } from '../model/errors.js';
import { variable, type Statement } from '../model/code.js';
import type { LocatorChain } from '../model/locator.js';
import { locatorOf } from './emitter.js';
import { pageNames, type Route } from './routes.js';

/** An existing page object. */
export interface ExistingPage {
  /** What it consists of; undefined if it can't be parsed. */
  page: PageObject | undefined;
  /** Whether it is as it was generated, so that it may be extended. */
  isUntouched: boolean;
}

/** A page object that a flow uses, with what earlier flows had of it. */
export interface PlannedPage extends PageObject {
  /** The file's name without its extension, e.g. `login-page`. */
  file: string;
  /** Whether a person has changed it, so that it stays as it is. */
  isFrozen: boolean;
}

/** A page object in the making. */
export interface Draft extends PlannedPage {
  /** The user's page object that it extends. */
  own: OwnPage | undefined;
  /** Whether it has something that this does not have. */
  isExtended: () => boolean;
  nameFor: (wish: string) => string;
  /** Names of fields by the syntax of their locators. */
  known: Map<string, string>;
}

/** The page, in a method of a page object. */
export const thisPage = variable('this.page');

/** The page objects that the user wrote. */
export interface OwnBases {
  /** That of a route. */
  ownOf: (route: Route) => OwnPage | undefined;
  /** The declaration with which a page object imports it. */
  importOf: (own: OwnPage) => string;
  /** The names of all their classes and functions. */
  names: ReadonlySet<string>;
}

/** The page objects of one story, by their routes. */
export interface Shelf {
  /** The page object of a route, created if it is missing. */
  draftOf: (route: Route) => Draft;
  drafts: () => Draft[];
}

/** The shelf; page objects of routes with a page object of the user's extend it. */
export function createShelf(
  existing: ReadonlyMap<string, ExistingPage>,
  { ownOf, importOf, names: ownNames }: OwnBases = {
    ownOf: () => undefined,
    importOf: () => '',
    names: new Set(),
  },
): Shelf {
  const drafts = new Map<string, Draft>();
  const taken = new Set<string>();

  const create = (route: Route): Draft => {
    const lines = comment(`The page at ${route.path}.`);
    const wanted = ownOf(route);
    const names = wanted === undefined ? pageNames(route) : [extendedName(wanted)];
    const longest = names.at(-1) ?? [];
    for (let number = 1; ; number++) {
      const words = names[number - 1] ?? [...longest, String(number - names.length + 1)];
      const file = `${words.join('-')}-page`;
      const found = existing.get(file);
      const isOther = found !== undefined && found.page?.comment.join('\n') !== lines.join('\n');
      if (taken.has(file) || isOther || ownNames.has(`${pascalCase(words)}Page`)) continue;
      taken.add(file);
      const page = found?.page ?? {
        className: `${pascalCase(words)}Page`,
        comment: lines,
        fields: [],
        methods: [],
        keepsPage: false,
      };
      const isBase = page.base?.className === wanted?.className;
      const own = found?.page === undefined || isBase ? wanted : undefined;
      const inherited = own?.subclass?.members ?? [];
      const members = [...inherited, ...[...page.fields, ...page.methods].map(({ name }) => name)];
      const fields = [...(own?.fields ?? []), ...page.fields];
      return {
        ...page,
        own,
        base: own === undefined ? page.base : { className: own.className, code: importOf(own) },
        isExtended() {
          return this.fields.length + this.methods.length > 0;
        },
        fields: [...page.fields],
        methods: [...page.methods],
        file,
        isFrozen: found?.isUntouched === false,
        nameFor: createNames([...reservedMembers, ...members]),
        known: new Map(fields.map(({ name, code }) => [syntaxOf(code), name])),
      };
    }
  };

  return {
    draftOf(route) {
      const draft = drafts.get(route.path) ?? create(route);
      drafts.set(route.path, draft);
      return draft;
    },
    drafts: () => [...drafts.values()],
  };
}

/** The name of a page object that extends one of the user's, in words. */
function extendedName({ className }: OwnPage): string[] {
  const words = wordsOf(className, 20);
  return ['extended', ...(words.length > 1 && words.at(-1) === 'page' ? words.slice(0, -1) : words)];
}

/** The field of a locator, which is added if it is missing. */
export function fieldOf(draft: Draft, chain: LocatorChain): string {
  const code = new Printer().expression(locatorOf(chain, 'page'));
  const same = syntaxOf(code);
  const known = draft.known.get(same);
  if (known !== undefined) return known;
  const name = draft.nameFor(variableName(elementName(chain)));
  requireOpen(draft, name);
  draft.fields.push({ name, code });
  draft.known.set(same, name);
  return name;
}

/** The name of a method that does this, which is added if it is missing; undefined if only a number would distinguish it. */
export function methodOf(
  draft: Draft,
  wish: string,
  parameters: ParameterData[],
  code: readonly Statement[],
): string | undefined {
  const printer = new Printer();
  const statements = code.map((each) => printer.statement(each));
  const form = (method: Pick<PageMethod, 'parameters' | 'statements'>): string =>
    JSON.stringify([method.parameters, method.statements.map(syntaxOf)]);
  const same = form({ parameters, statements });
  const known = draft.methods.find((method) => method.name.startsWith(wish) && form(method) === same);
  if (known !== undefined) return known.name;
  const usesPage = printer.used.has(thisPage.name);
  if (usesPage && draft.base !== undefined && draft.own?.subclass?.hasPage !== true) return undefined;
  const inherited = draft.own?.subclass?.members ?? [];
  const members = [...inherited, ...[...draft.fields, ...draft.methods].map((member) => member.name)];
  const isTaken = (name: string): boolean => [...reservedMembers, ...members].includes(name);
  const [first = '', second] = parameters.map((parameter) => pascalCase([parameter.name]));
  const withParameters = `${wish}With${first}${second === undefined ? '' : `And${second}`}`;
  const name = isTaken(wish) && parameters.length > 0 ? withParameters : wish;
  if (isTaken(name)) return undefined;
  draft.nameFor(name);
  requireOpen(draft, `${name}()`);
  draft.methods.push({ name, parameters, statements });
  draft.keepsPage ||= usesPage && draft.base === undefined;
  return name;
}

function requireOpen({ isFrozen, file, className }: Draft, missing: string): void {
  if (!isFrozen) return;
  throw new CodegenError(
    'FILE_CHANGED',
    `pages/${file} has been edited since this tool emitted it, and ${className} lacks ${missing}.`,
    {
      hint: `It stays as it is. Add ${missing} to it by hand, end the session with a file in another directory, which gets page objects of its own, or move the page object away.`,
    },
  );
}
