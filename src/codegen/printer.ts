import path from 'node:path';
import type { Expression, Import, Statement } from '../model/code.js';
import type { Row } from '../model/emission.js';
import { isNestedLocator, isPattern, type LocatorArgument, type Pattern } from '../model/locator.js';
import { block, literal, pattern, propertyName, quote, type Replacement } from './quote.js';
import { replacementOf, type Uniques } from './rows.js';

interface PrinterOptions {
  /** The name of the test function; `test` by default. */
  test?: string;
  /** Prints values that vary. */
  replacement?: Replacement | undefined;
  /** The same in the source of regular expressions and in snapshots. */
  inPatterns?: Replacement | undefined;
  /** Variables that are declared outside, since several functions use them. */
  shared?: ReadonlySet<string>;
}

/** Prints the code model as TypeScript or JavaScript, which are the same here, and notes what that needs. */
export class Printer {
  /** Variables and fixtures that were used. */
  readonly used = new Set<string>();
  /** Variables that were declared. */
  readonly declared: string[] = [];
  /** The types of those variables that others may share. */
  readonly types = new Map<string, string>();
  readonly imports: Import[] = [];
  /** Files of the workspace that the test needs. */
  readonly files: string[] = [];

  /** `spec` is the path of the test in the workspace. */
  constructor(
    private readonly spec = '',
    private readonly options: PrinterOptions = {},
  ) {}

  statement(code: Statement): string {
    switch (code.kind) {
      case 'slow':
        return `${this.options.test ?? 'test'}.${code.timeoutMs === undefined ? 'slow()' : `setTimeout(${literal(code.timeoutMs)})`};`;
      case 'run':
        return `await ${this.expression(code.value)};`;
      case 'bind':
        return this.binding(code.name, this.expression(code.value), code.type);
      case 'start':
        return this.binding(code.event.promise, this.expression(code.event.source));
      case 'finish': {
        const { promise, result, type } = code.event;
        const awaited = `await ${this.name(promise)}`;
        return result === undefined ? `${awaited};` : this.binding(result, awaited, type);
      }
      case 'expect': {
        const { matcher, not = false, soft = false, retries, message } = code;
        const subject = `${retries === 'subject' ? '() => ' : ''}${this.expression(code.subject)}`;
        const given = message === undefined ? subject : `${subject}, ${quote(message)}`;
        const form = `${this.name('expect')}${retries === 'subject' ? '.poll' : soft ? '.soft' : ''}`;
        const start = retries === undefined ? '' : 'await ';
        return `${start}${form}(${given})${not ? '.not' : ''}.${matcher}(${this.list(code.args)});`;
      }
    }
  }

  /** The text of statements, one after the other. */
  statements(code: readonly Statement[]): string {
    return code.map((each) => this.statement(each)).join('\n');
  }

  expression(code: Expression): string {
    switch (code.kind) {
      case 'value':
        if (JSON.stringify(code.value).includes('"totp":')) this.used.add('totp');
        return literal(code.value, this.options.replacement);
      case 'pattern':
        return this.pattern(code.pattern);
      case 'block':
        if (JSON.stringify(code.text).includes('"totp":')) this.used.add('totp');
        return (
          (typeof code.text === 'string' ? this.options.inPatterns?.(code.text) : undefined) ??
          block(code.text)
        );
      case 'list':
        return `[${this.list(code.items)}]`;
      case 'record':
        return this.record(Object.entries(code.entries), code.device);
      case 'variable':
        return this.name(code.name);
      case 'helper':
        return `${this.name(code.name)}()`;
      case 'secret':
        return `process.env.${code.name}`;
      case 'output path':
        return `${this.options.test ?? 'test'}.info().outputPath(${quote(code.path)})`;
      case 'file': {
        this.imports.push({ from: 'node:path', default: 'path' });
        this.files.push(code.path);
        const relative = path.posix.relative(path.posix.dirname(this.spec), code.path);
        return `path.join(path.dirname(${this.options.test ?? 'test'}.info().file), ${quote(relative)})`;
      }
      case 'locator':
        return this.locator(code);
      case 'property':
        return `${this.expression(code.of)}.${code.name}`;
      case 'call': {
        const of = this.expression(code.of);
        return `${code.of.kind === 'await' ? `(${of})` : of}.${code.method}(${this.list(code.args)})`;
      }
      case 'apply':
        return `${this.name(code.name)}(${this.list(code.args)})`;
      case 'new':
        this.imports.push(code.module);
        return `new ${code.className}(${this.list(code.args)})`;
      case 'await':
        return `await ${this.expression(code.value)}`;
      case 'function':
        return this.function(code.parameters, (inner) => inner.expression(code.body));
      case 'handler':
        return `async ${this.function(code.parameters, (inner) => `{\n${inner.statements(code.body)}\n}`)}`;
      case 'operation':
        return `${this.expression(code.left)} ${code.operator} ${this.expression(code.right)}`;
      case 'choice':
        return `${this.expression(code.test)} ? ${this.expression(code.then)} : ${this.expression(code.otherwise)}`;
    }
  }

  private name(name: string): string {
    this.used.add(name);
    return name;
  }

  private pattern(given: Pattern): string {
    const source = this.options.inPatterns?.(given.regex);
    if (source === undefined) return pattern(given);
    const flags = given.flags ?? '';
    return `new RegExp(${source}${flags === '' ? '' : `, ${quote(flags)}`})`;
  }

  private binding(name: string, value: string, type = 'any'): string {
    this.types.set(name, type);
    if (this.options.shared?.has(name)) return `${name} = ${value};`;
    this.declared.push(name);
    return `const ${name} = ${value};`;
  }

  private list(items: readonly Expression[]): string {
    return items.map((each) => this.expression(each)).join(', ');
  }

  private record(entries: readonly (readonly [string, Expression])[], device?: string): string {
    const printed = entries.map(([name, each]) => {
      const text = this.expression(each);
      return text === name ? name : `${propertyName(name)}: ${text}`;
    });
    if (device !== undefined) {
      this.imports.push({ from: '@playwright/test', names: ['devices'] });
      printed.unshift(`...devices[${quote(device)}]`);
    }
    return printed.length === 0 ? '{}' : `{ ${printed.join(', ')} }`;
  }

  /** What it declares, and its parameters, are known in it only. */
  private function(parameters: readonly string[], print: (inner: Printer) => string): string {
    const inner = new Printer(this.spec, this.options);
    const text = `(${parameters.join(', ')}) => ${print(inner)}`;
    for (const name of inner.used)
      if (!parameters.includes(name) && !inner.declared.includes(name)) this.used.add(name);
    this.imports.push(...inner.imports);
    this.files.push(...inner.files);
    return text;
  }

  private locator({ page, from = page, chain, filter }: Extract<Expression, { kind: 'locator' }>): string {
    const calls = chain.map(({ method, args }, index) =>
      index === filter?.at
        ? `${method}(${this.record([['hasText', filter.text]])})`
        : `${method}(${args.map((argument) => this.argument(argument, page)).join(', ')})`,
    );
    return [this.expression(from), ...calls].join('.');
  }

  /** Texts of a locator never refer to secrets. */
  private argument(argument: LocatorArgument, page: Expression): string {
    if (typeof argument === 'string') return this.options.replacement?.(argument) ?? quote(argument);
    if (typeof argument !== 'object') return String(argument);
    if (isPattern(argument)) return this.pattern(argument);
    if (isNestedLocator(argument)) return this.locator({ kind: 'locator', page, chain: argument.locator });
    const entries = Object.entries(argument).map(
      ([name, each]) => `${propertyName(name)}: ${this.argument(each, page)}`,
    );
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
}

/** The options that print variables for words that are new in every run. */
export function uniqueOptions(
  uniques: Uniques = {},
  row?: Row,
): Pick<PrinterOptions, 'replacement' | 'inPatterns'> {
  return { replacement: replacementOf(row, uniques), inPatterns: replacementOf(undefined, uniques) };
}

/** The text of statements alone. */
export function print(code: readonly Statement[], spec?: string, uniques?: Uniques): string {
  return new Printer(spec, uniqueOptions(uniques)).statements(code);
}
