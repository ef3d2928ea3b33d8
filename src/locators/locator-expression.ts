import { parse, type Expression, type Property, type SpreadElement, type Super } from 'acorn';
import type { Frame, FrameLocator, Locator, Page } from 'playwright';
import { z } from 'zod';
import { CodegenError, messageOf } from '../model/errors.js';
import type { LocatorArgument, LocatorCall, LocatorChain } from '../model/locator.js';
import { nearest } from '../model/nearest.js';
import { isPublicSelector } from '../browser/isolated.js';
import { testIdSelector } from '../browser/test-id.js';
import { textOrPatternSchema, toTextOrRegExp } from '../model/pattern.js';
import { isAriaRole, ariaRoles, type AriaRole } from './roles.js';

const maxLength = 5000;
const maxCalls = 50;
const maxDepth = 8;

/** Where a chain can start. */
type LocatorRoot = Page | Frame | FrameLocator | Locator;

/** The kind of object that has a method. */
type Place = 'page' | 'locator' | 'frame';

/** The kinds of object that have a method, and a type guard for them. */
interface Receiver<Scope extends LocatorRoot> {
  places: readonly Place[];
  includes(scope: LocatorRoot): scope is Scope;
}

/** Builds the Playwright locator of a nested chain. */
type Build = (chain: LocatorChain) => Locator;

interface Method {
  /** The kinds of object on which it can be called with these arguments. */
  on(args: LocatorArgument[]): readonly Place[];
  gives: 'locator' | 'frame';
  check(args: LocatorArgument[]): z.core.$ZodIssue | undefined;
  apply(scope: LocatorRoot, args: LocatorArgument[], build: Build): LocatorRoot;
}

const anywhere: Receiver<LocatorRoot> = {
  places: ['page', 'locator', 'frame'],
  includes: (scope): scope is LocatorRoot => 'locator' in scope,
};
const onLocatorOrFrame: Receiver<Locator | FrameLocator> = {
  places: ['locator', 'frame'],
  includes: (scope): scope is Locator | FrameLocator => 'first' in scope,
};
const onLocator: Receiver<Locator> = {
  places: ['locator'],
  includes: (scope): scope is Locator => 'filter' in scope,
};

const string = z.string({ error: 'expected a string' });
const selector = string.refine(isPublicSelector, {
  error: 'expected CSS, text or another public engine of Playwright',
});
const boolean = z.boolean({ error: 'expected true or false' }).exactOptional();
const integer = z.int({ error: 'expected a whole number' });
const text = z
  .union(textOrPatternSchema.options, { error: 'expected a string or a regular expression' })
  .transform(toTextOrRegExp);
const role = z.custom<AriaRole>(isAriaRole, {
  error: ({ input }) => {
    const meant = nearest(String(input), ariaRoles);
    return `expected an ARIA role${meant === undefined ? '' : `, such as "${meant}"`}`;
  },
});
const locator = z.strictObject(
  { locator: z.custom<LocatorChain>(Array.isArray, { error: 'expected a locator' }) },
  { error: 'expected a locator' },
);

const filters = {
  has: locator.exactOptional(),
  hasNot: locator.exactOptional(),
  hasText: text.exactOptional(),
  hasNotText: text.exactOptional(),
};
const filterOptions = options({ ...filters, visible: boolean });
const textArguments = z.tuple([text, options({ exact: boolean })]);

const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries({
    getByRole: method(
      anywhere,
      z.tuple([
        role,
        options({
          name: text.exactOptional(),
          description: text.exactOptional(),
          exact: boolean,
          checked: boolean,
          disabled: boolean,
          expanded: boolean,
          includeHidden: boolean,
          level: integer.exactOptional(),
          pressed: boolean,
          selected: boolean,
        }),
      ]),
      (scope, args) => scope.getByRole(...args),
    ),
    getByText: method(anywhere, textArguments, (scope, args) => scope.getByText(...args)),
    getByLabel: method(anywhere, textArguments, (scope, args) => scope.getByLabel(...args)),
    getByPlaceholder: method(anywhere, textArguments, (scope, args) => scope.getByPlaceholder(...args)),
    getByAltText: method(anywhere, textArguments, (scope, args) => scope.getByAltText(...args)),
    getByTitle: method(anywhere, textArguments, (scope, args) => scope.getByTitle(...args)),
    getByTestId: method(anywhere, z.tuple([text]), (scope, [id]) => {
      const selector = testIdSelector(pageOf(scope).context(), id);
      return selector === undefined ? scope.getByTestId(id) : scope.locator(selector);
    }),
    locator: {
      ...method(
        anywhere,
        z.tuple([
          z.union([selector, locator], { error: 'expected a selector of a public engine, or a locator' }),
          options(filters),
        ]),
        (scope, [inner, given], build) => {
          const filter = built(given, build);
          if (typeof inner === 'string') return scope.locator(inner, filter);
          return received(onLocatorOrFrame, scope).locator(build(inner.locator), filter);
        },
      ),
      on: ([inner]) => (typeof inner === 'string' ? anywhere : onLocatorOrFrame).places,
    },
    frameLocator: method(
      anywhere,
      z.tuple([selector]),
      (scope, [given]) => scope.frameLocator(given),
      'frame',
    ),
    contentFrame: method(onLocator, z.tuple([]), (scope) => scope.contentFrame(), 'frame'),
    filter: method(onLocator, z.tuple([filterOptions]), (scope, [given], build) =>
      scope.filter(built(given, build)),
    ),
    and: method(onLocator, z.tuple([locator]), (scope, [other], build) => scope.and(build(other.locator))),
    or: method(onLocator, z.tuple([locator]), (scope, [other], build) => scope.or(build(other.locator))),
    visible: method(onLocator, z.tuple([]), (scope) => scope.visible()),
    first: method(onLocator, z.tuple([]), (scope) => scope.first()),
    last: method(onLocator, z.tuple([]), (scope) => scope.last()),
    nth: method(onLocator, z.tuple([integer]), (scope, [index]) => scope.nth(index)),
    describe: method(onLocator, z.tuple([string]), (scope, [description]) => scope.describe(description)),
  }),
);

/**
 * Whether a target is a locator expression (`getByRole(…)`, `page.locator(…)`) rather than a selector or a ref. Invalid
 * expressions count too, since no Playwright selector starts with a call.
 */
export function isLocatorExpression(target: string): boolean {
  return /^\s*(?:page\s*\.\s*)?(?:getBy[A-Z]|[\w$]+(?:\s*\.\s*[\w$]+)*\s*\()/.test(target);
}

/**
 * Parses a Playwright locator expression such as `getByRole('button', { name: 'Save' }).first()`, in the syntax of
 * `locator.toString()`, with or without `page.`. Evaluates nothing, and drops `describe`. Throws INVALID_INPUT.
 */
export function parseLocatorExpression(expression: string): LocatorChain {
  if (expression.length > maxLength)
    throw invalid(`A locator expression has at most ${maxLength} characters.`);
  return readChain(readSyntax(expression), { expression, depth: 1 });
}

/** Builds the Playwright locator of a chain. As in Playwright, nested locators start at the page or frame. */
export function toLocator(root: LocatorRoot, chain: LocatorChain): Locator {
  checkChain(chain);
  const home = 'owner' in root ? root.owner().page() : 'filter' in root ? root.page() : root;
  const scope = chain.reduce<LocatorRoot>(
    (reached, { method: name, args }) =>
      methodNamed(name).apply(reached, args, (inner) => toLocator(home, inner)),
    root,
  );
  return received(onLocator, scope);
}

function pageOf(scope: LocatorRoot): Page {
  if ('owner' in scope) return scope.owner().page();
  return 'page' in scope ? scope.page() : scope;
}

interface Source {
  expression: string;
  /** Nesting depth of the locator being read, itself included. */
  depth: number;
}

function readSyntax(expression: string): Expression {
  let statements;
  try {
    statements = parse(expression, { ecmaVersion: 'latest', sourceType: 'module' }).body;
  } catch (error) {
    throw invalid(`"${excerpt(expression)}" is not a valid expression: ${messageOf(error)}.`);
  }
  const [statement, ...more] = statements;
  if (statement?.type === 'ExpressionStatement' && more.length === 0) return statement.expression;
  throw invalid(`"${excerpt(expression)}" is not a single expression.`);
}

function readChain(expression: Expression, source: Source): LocatorChain {
  if (source.depth > maxDepth) throw invalid(`Locators can be nested at most ${maxDepth} deep.`);
  const chain = readCalls(expression, source);
  checkChain(chain);
  return chain.filter(({ method: name }) => name !== 'describe');
}

function readCalls(node: Expression | Super, source: Source): LocatorCall[] {
  if (node.type !== 'CallExpression' || node.optional) throw notLocator(node, source);
  const { callee } = node;
  const isMember = callee.type === 'MemberExpression' && !callee.computed;
  const name = isMember ? callee.property : callee;
  if (name.type !== 'Identifier') throw notLocator(callee, source);
  methodNamed(name.name);
  const before = isMember && !isPage(callee.object) ? readCalls(callee.object, source) : [];
  return [
    ...before,
    { method: name.name, args: node.arguments.map((argument) => readArgument(argument, source)) },
  ];
}

function isPage(node: Expression | Super): boolean {
  return node.type === 'Identifier' && node.name === 'page';
}

function readArgument(node: Expression | SpreadElement, source: Source): LocatorArgument {
  if (node.type === 'ObjectExpression') {
    const entries = node.properties.map((property) => readOption(property, source));
    return Object.fromEntries(entries);
  }
  if (node.type === 'CallExpression') {
    return { locator: readChain(node, { ...source, depth: source.depth + 1 }) };
  }
  if (node.type === 'TemplateLiteral') {
    const [quasi, ...more] = node.quasis;
    if (typeof quasi?.value.cooked === 'string' && more.length === 0) return quasi.value.cooked;
  }
  if (node.type === 'UnaryExpression' && node.operator === '-') {
    const value = readArgument(node.argument, source);
    if (typeof value === 'number') return 0 - value;
  }
  if (node.type === 'Literal') {
    if (node.regex) {
      const { pattern, flags } = node.regex;
      return flags === '' ? { regex: pattern } : { regex: pattern, flags };
    }
    const { value } = node;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  }
  throw invalid(
    `"${textOf(node, source)}" is not a plain value.`,
    'Arguments are strings, numbers, true or false, regular expressions, locators and options; variables have no value here.',
  );
}

function readOption(node: Property | SpreadElement, source: Source): [string, LocatorArgument] {
  if (node.type === 'Property' && !node.computed && !node.shorthand && !node.method && node.kind === 'init') {
    if (node.key.type === 'Identifier') return [node.key.name, readArgument(node.value, source)];
    if (node.key.type === 'Literal') return [String(node.key.value), readArgument(node.value, source)];
  }
  throw invalid(`"${textOf(node, source)}" is not an option.`, 'Write options as { name: value }.');
}

/** Throws unless every call of the chain exists, is allowed at its place and has valid arguments. */
export function checkChain(chain: LocatorChain): void {
  if (chain.length > maxCalls) throw invalid(`A locator has at most ${maxCalls} calls.`);
  let place: Place = 'page';
  for (const call of chain) {
    const known = methodNamed(call.method);
    const issue = known.check(call.args);
    if (issue !== undefined) throw invalid(`${call.method}${describeIssue(issue)}.`);
    if (!known.on(call.args).includes(place)) {
      throw invalid(
        `${call.method}(${call.args.length === 0 ? '' : '…'}) can't be called on a ${place}.`,
        `It can be called on: ${known.on(call.args).join(', ')}.`,
      );
    }
    place = known.gives;
  }
  if (place !== 'locator') {
    throw invalid(
      `The expression ends at a ${place}.`,
      'Continue to an element in it, e.g. with getByRole(…).',
    );
  }
}

function method<Scope extends LocatorRoot, Args>(
  receiver: Receiver<Scope>,
  schema: z.ZodType<Args>,
  call: (scope: Scope, args: Args, build: Build) => LocatorRoot,
  gives: Method['gives'] = 'locator',
): Method {
  return {
    on: () => receiver.places,
    gives,
    check: (args) => schema.safeParse(args).error?.issues[0],
    apply: (scope, args, build) => call(received(receiver, scope), schema.parse(args), build),
  };
}

/** An options object whose errors list the valid options. */
function options<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? `unknown option ${issue.keys.join(', ')}; expected ${Object.keys(shape).join(', ')}`
          : 'expected an object of options',
    })
    .optional();
}

/** The options of `locator` and `filter`, with Playwright locators for nested chains. */
function built(given: z.infer<typeof filterOptions> = {}, build: Build) {
  const { has, hasNot, ...others } = given;
  return {
    ...others,
    ...(has && { has: build(has.locator) }),
    ...(hasNot && { hasNot: build(hasNot.locator) }),
  };
}

function received<Scope extends LocatorRoot>(receiver: Receiver<Scope>, scope: LocatorRoot): Scope {
  if (receiver.includes(scope)) return scope;
  throw invalid(
    `A locator can't start with this call.`,
    `It can be called on: ${receiver.places.join(', ')}.`,
  );
}

function methodNamed(name: string): Method {
  const found = methods.get(name);
  if (found !== undefined) return found;
  const names = [...methods.keys()];
  const meant = nearest(name, names);
  throw invalid(
    `"${name}" is not a locator method.`,
    `${meant === undefined ? '' : `Did you mean ${meant}? `}Locator methods: ${names.join(', ')}.`,
  );
}

function describeIssue({ path: [index, option], ...issue }: z.core.$ZodIssue): string {
  if (index === undefined && issue.code === 'too_small') {
    return `: expected at least ${issue.minimum} argument`;
  }
  if (index === undefined && issue.code === 'too_big') {
    return `: expected at most ${issue.maximum} arguments`;
  }
  const place = typeof option === 'string' ? `option ${option}` : `argument ${Number(index) + 1}`;
  return `, ${place}: ${issue.message}`;
}

function notLocator(node: Expression | Super, source: Source): CodegenError {
  return invalid(`"${textOf(node, source)}" is not a locator expression.`);
}

function textOf({ start, end }: { start: number; end: number }, { expression }: Source): string {
  return excerpt(expression.slice(start, end));
}

function excerpt(expression: string): string {
  return expression.length > 80 ? `${expression.slice(0, 79)}…` : expression;
}

function invalid(
  message: string,
  hint = "Write a locator as Playwright does, e.g. getByRole('button', { name: 'Save' }).",
): CodegenError {
  return new CodegenError('INVALID_INPUT', message, { hint });
}
