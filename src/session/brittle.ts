import { isNestedLocator, isPattern, type LocatorArgument, type LocatorChain } from '../model/locator.js';

/** What a locator rests on that a small change of the page, or its next build, makes untrue. */
export type Brittleness = 'position' | 'generated name';

/** The reasons, if any, why a locator may soon tell another element, or none. */
export function brittleness(chain: LocatorChain): Set<Brittleness> {
  return new Set(
    chain.flatMap(({ method, args }) => [
      ...(['first', 'last', 'nth'].includes(method) ? ['position' as const] : []),
      ...(['locator', 'frameLocator'].includes(method) ? args.filter(isString).flatMap(ofSelector) : []),
      ...args.flatMap(nestedIn).flatMap((inner) => [...brittleness(inner)]),
    ]),
  );
}

function isString(argument: LocatorArgument): argument is string {
  return typeof argument === 'string';
}

/** The locators in an argument, e.g. those of `has`. */
function nestedIn(argument: LocatorArgument): LocatorChain[] {
  if (typeof argument !== 'object' || isPattern(argument)) return [];
  return isNestedLocator(argument) ? [argument.locator] : Object.values(argument).flatMap(nestedIn);
}

const quoted = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;

/** See https://playwright.dev/docs/other-locators for the forms of selectors. */
function ofSelector(selector: string): Brittleness[] {
  return selector.split(/\s*>>\s*/).flatMap((part) => {
    const [, engine = 'css', body = ''] = /^(?:([\w-]+)=)?([^]*)$/.exec(part) ?? [];
    if (engine === 'nth') return ['position'];
    if (engine === 'xpath' || /^(?:\.\.|\(*\/\/)/.test(body)) return ofXPath(body);
    if (engine === 'id') return isGenerated(body) ? ['generated name'] : [];
    return engine === 'css' && !/^["']/.test(body) ? ofCss(body) : [];
  });
}

function ofCss(css: string): Brittleness[] {
  const bare = css.replace(quoted, '""');
  const names = [...bare.matchAll(/[#.]((?:\\.|[\w\u00a0-\uffff-])+)/g)];
  const attributes = [...css.matchAll(/\[(?:id|class|for|name|aria-\w+)[~|^$*]?=(?:"([^"]*)"|'([^']*)')/g)];
  return [
    ...(/:(?:nth|first|last)-(?:last-)?(?:child|of-type|match)\b/.test(bare) ? ['position' as const] : []),
    ...([...names, ...attributes].some(([, one, other]) => isGenerated(one ?? other ?? ''))
      ? ['generated name' as const]
      : []),
  ];
}

function ofXPath(xpath: string): Brittleness[] {
  const bare = xpath.replace(quoted, '""');
  const attributes = [...xpath.matchAll(/@(?:id|class|for|name|aria-\w+)\s*[=,]\s*(?:"([^"]*)"|'([^']*)')/g)];
  return [
    ...(/\[\s*\d+\s*\]|\b(?:last|position)\(\)/.test(bare) ? ['position' as const] : []),
    ...(attributes.some(([, one, other]) => isGenerated(one ?? other ?? ''))
      ? ['generated name' as const]
      : []),
  ];
}

/** Names that tools make up: counters that another order of rendering changes, and hashes that another build changes. */
const generatedNames = [
  /^(?:ember|mui-|radix-|headlessui-|react-(?:aria|select)-?|downshift-|ext-(?:gen|comp)-?|gwt-uid-|yui_|jss|jsx-|mat-[a-z-]+|cdk-[a-z-]+|ng-tns-|pr_id_|el-id-|tippy-|select2-)[\w-]*\d/,
  // React's useId.
  /:r\w*:|«r\w*»|(?:^|_)r_\w+_$/i,
  /^__next/,
  // CSS in JS: emotion, styled-components, Svelte, CSS modules.
  /^css-(?=[a-z\d]*\d[a-z])[a-z\d]{5,10}(?:-|$)/,
  /^sc-(?:(?=[a-z]*[A-Z])[A-Za-z]{5,6}|(?=[a-z]*\d)[a-z\d]{5,8}-\d+)$/,
  /^svelte-[a-z\d]{5,7}$/,
  /_{1,2}(?=\w*\d[A-Za-z])[A-Za-z\d]{5,8}$/,
  // Hashes, UUIDs, numbers of rows or moments.
  /(?:^|[-_])(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{8,}(?:$|[-_])/i,
  /\d{6,}/,
];

/** Whether a tool made up this id, or one of these classes. */
function isGenerated(names: string): boolean {
  const plain = names.replace(/\\(.)/g, '$1');
  return plain.split(/\s+/).some((name) => generatedNames.some((form) => form.test(name)));
}
