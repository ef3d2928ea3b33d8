import {
  isNestedLocator,
  isPattern,
  isPositional,
  type LocatorArgument,
  type LocatorChain,
} from '../model/locator.js';
import { isVolatile } from '../model/volatile.js';

/** Why a small change of the page, the next build or the next run may break a locator. */
export type Brittleness = 'position' | 'generated name' | 'volatile text' | 'bare tag' | 'glyph';

/** Characters of a selector that are checked. */
const maxLength = 1000;

/** Why a locator may soon match another element or none; empty if it is stable. */
export function brittleness(chain: LocatorChain): Set<Brittleness> {
  const inFrame = chain.findLastIndex(({ method }) => method === 'contentFrame') + 1;
  return new Set([
    ...(isBareTag(chain.slice(inFrame)) ? reasons({ tag: true }) : []),
    ...chain.flatMap(({ method, args }) => [
      ...reasons({ position: isPositional({ method }) }),
      ...(['locator', 'frameLocator'].includes(method)
        ? args.filter(isString).flatMap(ofSelector)
        : reasons({ texts: (method === 'getByRole' ? args.slice(1) : args).flatMap(textsIn) })),
      ...args.flatMap(nestedIn).flatMap((inner) => [...brittleness(inner)]),
    ]),
  ]);
}

/** Why an agent's locator is replaced; undefined if it is emitted as given. */
export function reasonToReplace(chain: LocatorChain): string | undefined {
  const reasons = [...brittleness(chain)];
  return reasons.length === 0 ? undefined : reasons.join(', ');
}

/** Whether a chain looks for the element inside another, so that its position is one among fewer elements. */
export function isScoped(chain: LocatorChain): boolean {
  return chain.filter((call) => !isPositional(call) && call.method !== 'filter').length > 1;
}

/** Whether only its tag identifies the element, which may be one of several. */
function isBareTag([first, ...others]: LocatorChain): boolean {
  const selector = first?.method === 'locator' && others.length === 0 ? first.args[0] : undefined;
  return typeof selector === 'string' && /^(?!body$)(?:[a-z][a-z\d]*|\*)$/i.test(selector.trim());
}

function reasons({
  position = false,
  names = [],
  texts = [],
  tag = false,
}: {
  position?: boolean;
  tag?: boolean;
  names?: string[];
  texts?: string[];
}): Brittleness[] {
  const found: Brittleness[] = [];
  if (position) found.push('position');
  if (tag) found.push('bare tag');
  if (texts.some((text) => /\p{Co}/u.test(text))) found.push('glyph');
  if (names.some(isGenerated)) found.push('generated name');
  if (texts.some((text) => isVolatile(text))) found.push('volatile text');
  return found;
}

/** The texts in an argument, except regular expressions. */
function textsIn(argument: LocatorArgument): string[] {
  if (typeof argument === 'string') return [argument];
  if (typeof argument !== 'object' || isPattern(argument) || isNestedLocator(argument)) return [];
  return Object.values(argument).flatMap(textsIn);
}

function isString(argument: LocatorArgument): argument is string {
  return typeof argument === 'string';
}

/** The locators in an argument, e.g. in `has`. */
function nestedIn(argument: LocatorArgument): LocatorChain[] {
  if (typeof argument !== 'object' || isPattern(argument)) return [];
  return isNestedLocator(argument) ? [argument.locator] : Object.values(argument).flatMap(nestedIn);
}

const quoted = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;

/** The syntax of selectors: https://playwright.dev/docs/other-locators. */
function ofSelector(selector: string): Brittleness[] {
  const parts = selector.slice(0, maxLength).split(/\s*>>\s*/);
  return parts.flatMap((part) => {
    const [, engine = 'css', body = ''] = /^(?:([\w-]+)=)?([^]*)$/.exec(part) ?? [];
    const bare = body.replace(quoted, '""');
    if (engine === 'nth') return reasons({ position: true });
    if (engine === 'id') return reasons({ names: [body] });
    if (engine === 'xpath' || /^(?:\.\.|\(*\/\/)/.test(body))
      return reasons({
        position: /\[\s*\d+\s*\]|\b(?:last|position)\(\)/.test(bare),
        names: firstGroups(body, /@(?:id|class|for|name|aria-\w+)\s*[=,]\s*["']([^"']*)/g),
      });
    if (engine !== 'css' || /^["']/.test(body)) return /\p{Co}/u.test(body) ? ['glyph'] : [];
    return reasons({
      position: /:(?:nth|first|last)-(?:last-)?(?:child|of-type|match)\b/.test(bare),
      names: [
        ...firstGroups(bare, /[#.]((?:\\.|[\w\u00a0-\uffff-])+)/g),
        ...firstGroups(body, /\[(?:id|class|for|name|aria-\w+)[~|^$*]?=["']?([^"'\]]*)/g),
      ],
    });
  });
}

function firstGroups(text: string, expression: RegExp): string[] {
  return [...text.matchAll(expression)].map(([, group = '']) => group);
}

/** Names that tools generate: counters, which depend on the order of rendering, and hashes, which depend on the build. */
const generatedNames = [
  /^(?:ember|mui-|radix-|headlessui-|react-(?:aria|select)-?|downshift-|ext-(?:gen|comp)-?|gwt-uid-|yui_|jss|jsx-|mat-[a-z-]+|cdk-[a-z-]+|ng-tns-|pr_id_|el-id-|tippy-|select2-|ui-id-)[\w-]*\d/,
  // React's useId.
  /:r\w*:|«r\w*»|(?:^|_)r_\w+_$/i,
  /^__next/,
  // CSS in JS: emotion, styled-components, Svelte, CSS modules.
  /^css-(?=[a-z\d]*\d[a-z])[a-z\d]{5,10}(?:-|$)/,
  /^sc-(?:(?=[a-z]*[A-Z])[A-Za-z]{5,6}|(?=[a-z]*\d)[a-z\d]{5,8}-\d+)$/,
  /^svelte-[a-z\d]{5,7}$/,
  /_{1,2}(?=\w*\d[A-Za-z])[A-Za-z\d]{5,8}$/,
  // Hashes, UUIDs, row numbers, timestamps.
  /(?:^|[-_])(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{8,}(?:$|[-_])/i,
  /\d{6,}/,
];

/** Whether a tool generated this id or one of these classes. */
export function isGenerated(names: string): boolean {
  const plain = names.replace(/\\(.)/g, '$1');
  return plain.split(/\s+/).some((name) => generatedNames.some((form) => form.test(name)));
}

/** Classes for styling and frameworks, which don't say what an element is. */
const stylingClasses = [
  /^(?:css|sc|jss|emotion|svelte|ng|cdk|mat|mdc)(?:-|$)/,
  /^(?:flex|grid|block|hidden|relative|absolute|fixed|sticky|truncate|uppercase|rounded|border|shadow|transition)$/,
  /^(?:row|col|column|container|container-fluid|wrapper|inner|outer|clearfix)$/,
  /^(?:flex|grid|inline|items|justify|content|self|text|bg|font|rounded|border|shadow|overflow|cursor|align)-/,
  // Spaces, sizes and widths of screens, as utilities call them.
  /^(?:[mp][trblxyse]?|[wh]|fs|fw|lh|vw|vh|gx|gy|xs|sm|md|lg|xl)-/,
  // What it does at the moment.
  /(?:^|[-_])(?:is|has)[-_]|(?:^|[-_])(?:opening|closing|collaps(?:ing|ed)|loading|editing|dragging|focus(?:ed)?|hover|highlight(?:ed)?|show|shown)$/,
];

const stateClass =
  /^(?:[a-z]+-+)*(?:active|selected|current|open|opened|expanded|checked|completed|done|invalid|on|asc|desc)$/;

/** Whether a class names a state, as on pages without ARIA; those for scripts alone begin with `js-`. */
export function isStateClass(name: string): boolean {
  return stateClass.test(name) && !name.startsWith('js-');
}

/** Whether a class says what an element is. */
export function isMeaningfulClass(name: string): boolean {
  return !isGenerated(name) && !isStateClass(name) && !stylingClasses.some((form) => form.test(name));
}
