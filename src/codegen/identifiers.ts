import type { LocatorArgument, LocatorCall, LocatorChain } from '../model/locator.js';
import { isNestedLocator, isPattern, isPositional } from '../model/locator.js';

/** Names that every test has or imports, and those that JavaScript keeps. */
export const reservedVariables = [
  'test expect devices page context browser browserName request path AxeBuilder createHmac totp uniqueWord',
  'arguments async await break case catch class const continue debugger default delete do else enum eval export',
  'extends false finally for function if implements import in instanceof interface let new null package private',
  'process protected public return static super switch this throw true try typeof undefined var void while with',
  'yield NaN Infinity',
].flatMap((line) => line.split(' '));

/** Names that mean something else in a class, in what is awaited, or on a page of Playwright's. */
export const reservedMembers =
  'check click fill focus hover pause press tap type uncheck constructor page then prototype toString toLocaleString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable'.split(
    ' ',
  );

/** Names of a test that runs for rows of data. */
const rowVariables = ['row', 'rows'];

/** Names that no variable of a test may have. */
export const testVariables = [...reservedVariables, ...rowVariables];

/** Returns unique names: the preferred one, or one with a number. */
export function createNames(taken: Iterable<string> = testVariables): (wish: string) => string {
  const names = new Set(taken);
  return (wish) => {
    let name = wish;
    for (let number = 2; names.has(name); number++) name = `${wish}${number}`;
    names.add(name);
    return name;
  };
}

/** Cyrillic and Greek letters in Latin ones, as they are commonly written; other scripts need a dictionary. */
const latin = new Map(
  [
    'а:a б:b в:v г:g д:d е:e ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:kh ц:ts ч:ch ш:sh щ:shch',
    'ъ: ы:y ь: э:e ю:yu я:ya ё:e і:i ї:yi є:ye ґ:g ў:u ј:j љ:lj њ:nj ћ:c ђ:dj џ:dz',
    'α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:y φ:f χ:ch ψ:ps ω:o',
    'ß:ss æ:ae œ:oe ø:o ł:l đ:d ð:d þ:th ı:i ŋ:n',
  ]
    .join(' ')
    .split(' ')
    .map((pair) => [pair.slice(0, 1), pair.slice(2)] as const),
);

/** Words that say nothing at the end of a name. */
const weak = new Set('a an and are at be by for from is my of or the to with your'.split(' '));

const articles = new Set(['a', 'an', 'the']);

/**
 * The words of a text in plain Latin letters and digits, lower case, for a name: the first ones, as many as are wanted.
 * Empty if it has none.
 */
export function wordsOf(text: string, most = 4): string[] {
  const plain = text
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .replace(/\P{ASCII}/gu, (letter) => latin.get(letter) ?? letter)
    .normalize('NFKD')
    .replace(/[\p{M}'\u2019]/gu, '')
    .replace(/\P{ASCII}/gu, (letter) => latin.get(letter) ?? letter);
  const all = plain.match(/[a-z0-9]+/g) ?? [];
  return shortened(
    all.map((word) => word.slice(0, 20)),
    most,
  );
}

function shortened(all: readonly string[], most: number): string[] {
  // One word more than most is kept: without its last word, a text may say something else.
  const words = all.slice(0, all.length === most + 1 ? all.length : most);
  while (words.length > 1 && weak.has(words.at(-1) ?? '')) words.pop();
  return words;
}

export function camelCase(words: readonly string[]): string {
  return words.map((word, index) => (index === 0 ? word : capitalized(word))).join('');
}

export function pascalCase(words: readonly string[]): string {
  return words.map(capitalized).join('');
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/** What an element is called, in two parts: `save` `button`. */
export interface ElementName {
  /** Its own words; empty if only its kind is known. */
  words: string[];
  kind: string;
  /** What distinguishes it from similar ones: the words of its container. */
  context: string[];
}

/** Words for roles whose own name is unusual. */
const kinds: Readonly<Record<string, string>> = {
  textbox: 'field',
  searchbox: 'field',
  spinbutton: 'field',
  combobox: 'select',
  listbox: 'list',
  listitem: 'item',
  img: 'image',
  menuitem: 'menu item',
  menuitemcheckbox: 'menu item',
  menuitemradio: 'menu item',
  progressbar: 'progress bar',
  tablist: 'tabs',
  tabpanel: 'panel',
  treeitem: 'tree item',
  gridcell: 'cell',
  columnheader: 'column header',
  rowheader: 'row header',
  radiogroup: 'options',
  alertdialog: 'dialog',
  contentinfo: 'footer',
  navigation: 'navigation',
};

/** Roles of repeated elements. */
const repeated = new Set(['listitem', 'row', 'cell', 'gridcell', 'option', 'article', 'treeitem']);

/** What to call the element of a locator, by its role and name, or what else identifies it. */
export function elementName(chain: LocatorChain): ElementName {
  const calls = [...chain].reverse();
  const last = calls.find(({ method }) => method in methodKinds || method === 'getByRole');
  const kind = last === undefined ? 'element' : kindOf(last);
  const words = last === undefined ? [] : textWords(last);
  const isOne = chain.some((call) => isPositional(call) || call.method === 'filter');
  const [role] = last?.args ?? [];
  const isMany = words.length === 0 && !isOne && typeof role === 'string' && repeated.has(role);
  const [context = []] = calls
    .filter((call) => call !== last && (words.length === 0 || call.method === 'filter'))
    .map(textWords)
    .filter((each) => each.length > 0);
  const own = kind.split(' ').filter((word) => word !== '');
  // `saveButton`, though the button is called "Save button".
  while (words.length > 1 && own.includes(words.at(-1) ?? '')) words.pop();
  if (words.length === 1 && own.length > 0 && words[0] === own[0]) words.pop();
  // `iPadCaseCard`, not `iPadCaseCaseCard`.
  const others = context.filter((word) => !words.includes(word));
  return { words, kind: isMany ? pluralOf(camelCase(own)) : camelCase(own), context: others };
}

/** The name of several elements, by that of one. */
export function pluralOf(name: string): string {
  if (/[^s]s$|\d$/.test(name)) return name;
  return /(?:s|x|ch|sh)$/.test(name) ? `${name}es` : name.replace(/([^aeiou])y$/, '$1ie') + 's';
}

export function variableName({ words, kind, context }: ElementName): string {
  return identifier([...context, ...words, ...(kind === '' ? [] : [kind])]);
}

/** Joins words to an identifier that does not start with a digit, nor look like a page or a frame. */
export function identifier(words: readonly string[]): string {
  const name = camelCase(words);
  const own = /^(?!page|frame)[a-z]/.test(name) ? name : `the${capitalized(name)}`;
  return /(?:Page|Frame)$/.test(own) ? `${own}Element` : own;
}

const methodKinds: Readonly<Record<string, string>> = {
  getByLabel: 'field',
  getByPlaceholder: 'field',
  getByText: 'text',
  getByAltText: 'image',
  getByTitle: '',
  getByTestId: '',
  locator: '',
};

/** Kinds of elements that a selector names by their tag. */
const tagKinds: Readonly<Record<string, string>> = {
  a: 'link',
  button: 'button',
  input: 'field',
  textarea: 'field',
  select: 'select',
  img: 'image',
  tr: 'row',
  td: 'cell',
  li: 'item',
  ul: 'list',
  ol: 'list',
  p: 'paragraph',
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((level) => [`h${level}`, 'heading'])),
};

function kindOf({ method, args: [role] }: LocatorCall): string {
  if (method === 'locator' && typeof role === 'string') {
    const { tag, words } = selectorParts(role);
    return tagKinds[tag] ?? (words.length > 0 ? '' : tag || 'element');
  }
  if (method !== 'getByRole') return methodKinds[method] ?? 'element';
  if (typeof role !== 'string') return 'element';
  return Object.hasOwn(kinds, role) ? (kinds[role] ?? role) : (wordsOf(role, 1)[0] ?? 'element');
}

/** The words by which a call identifies an element. */
function textWords({ method, args: [first, options] }: LocatorCall): string[] {
  const given = method === 'getByRole' ? optionOf(options, 'name') : first;
  if (method === 'filter') {
    const text = optionOf(first, 'hasText');
    const has = optionOf(first, 'has');
    if (text !== undefined) return argumentWords(text);
    if (has !== undefined && typeof has === 'object' && isNestedLocator(has))
      return elementName(has.locator).words;
    return [];
  }
  if (!(method in methodKinds || method === 'getByRole')) return [];
  if (method === 'locator') return typeof first === 'string' ? selectorParts(first).words : [];
  return given === undefined ? [] : argumentWords(given);
}

/** The tag at the end of a CSS selector, and the words of its last id, class or attribute. */
function selectorParts(selector: string): { tag: string; words: string[] } {
  const plain = /^(?:[\w-]+=|\/\/)/.test(selector) ? '' : selector.replace(/\([^()]*\)/g, '').trim();
  const last = plain.split(/[\s>+~]+/).at(-1) ?? '';
  const [tag = ''] = /^[a-z][\w-]*/i.exec(last) ?? [];
  const names = [...last.matchAll(/[#.]([\w-]+)|=["']?([\w -]+)/g)].map(([, name, given]) => name ?? given);
  const [words = []] = [...names.reverse(), tag.includes('-') ? tag : '']
    .map((name = '') => tellingWords(name))
    .filter((each) => each.length > 0);
  return { tag: tag.includes('-') ? '' : tag.toLowerCase(), words };
}

function argumentWords(argument: LocatorArgument): string[] {
  if (typeof argument === 'string') return tellingWords(argument);
  if (typeof argument === 'object' && isPattern(argument))
    return tellingWords(argument.regex.replace(/\\./g, ' '));
  return [];
}

/** The first words of a text that say something, each once. */
function tellingWords(text: string): string[] {
  const all = wordsOf(text, 12);
  const telling = all.filter((word, index) => !articles.has(word) && all.indexOf(word) === index);
  return shortened(telling.length === 0 ? all : telling, 4);
}

function optionOf(options: LocatorArgument | undefined, name: string): LocatorArgument | undefined {
  if (typeof options !== 'object' || isPattern(options) || isNestedLocator(options)) return undefined;
  return Object.hasOwn(options, name) ? options[name] : undefined;
}
