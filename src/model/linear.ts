import { createContext, Script } from 'node:vm';
import { RE2JS } from 're2js';
import { linearSource } from './linear-syntax.js';
import { isPattern, type Pattern, type TextOrPattern } from './locator.js';

/** Instructions times characters, 0.1 s in the worst case. A match that costs more runs under a time limit. */
const maxCost = 200_000;
const matchLimitMs = 100;
/** Longer texts match nothing. */
const maxText = 1_000_000;
const maxCompiled = 200;

const compiled = new Map<string, RE2JS | undefined>();

function compile(pattern: Pattern): RE2JS | undefined {
  const key = JSON.stringify(pattern);
  if (compiled.has(key)) return compiled.get(key);
  const source = linearSource(pattern);
  let expression: RE2JS | undefined;
  try {
    if (source !== undefined) expression = RE2JS.compile(source, flagsOf(pattern));
  } catch {
    // RE2 does not support it.
  }
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(key, expression);
  return expression;
}

function flagsOf({ flags = '' }: Pattern): number {
  let all = RE2JS.LOOKBEHINDS;
  if (flags.includes('i')) all |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes('m')) all |= RE2JS.MULTILINE;
  return flags.includes('s') ? all | RE2JS.DOTALL : all;
}

/**
 * Whether an expression matches a text, or a part of it. Takes linear time, blocks the event loop for at most 0.1 s, and
 * never throws: an expression that RE2 does not support or that takes longer does not match.
 */
export function matches(pattern: Pattern, text: string): boolean {
  const expression = text.length > maxText ? undefined : compile(pattern);
  if (expression === undefined) return false;
  if (text.length * expression.programSize() <= maxCost) return expression.test(text);
  // Compiled again: an interrupted match leaves an expression in an unknown state.
  return limited(() => RE2JS.compile(expression.pattern(), expression.flags()).test(text));
}

/** Whether a text is as expected: equal to a text, or matched by a pattern. Anything is if nothing is expected. */
export function isAsExpected(text: string, expected: TextOrPattern | undefined): boolean {
  if (expected === undefined) return true;
  return isPattern(expected) ? matches(expected, text) : text === expected;
}

/** CPU time in milliseconds that all matches within a period may take together. */
interface Budget {
  budgetMs: number;
  periodMs: number;
  /** Called for each match that used up the budget. */
  onExhausted: () => void;
}

/** `matches` for many texts. Once the budget is used up, nothing matches until the next period. */
export function budgeted(
  pattern: Pattern,
  { budgetMs, periodMs, onExhausted }: Budget,
): (text: string) => boolean {
  let begun = 0;
  let used = 0;
  return (text) => {
    const start = performance.now();
    if (start - begun > periodMs) [begun, used] = [start, 0];
    if (used > budgetMs) return false;
    const before = process.cpuUsage();
    const isMatch = matches(pattern, text);
    // Counts neither the time of other processes nor that of other threads.
    const { user, system } = process.cpuUsage(before);
    used += Math.min((user + system) / 1000, performance.now() - start);
    if (used > budgetMs) onExhausted();
    return isMatch;
  };
}

const script = new Script('work()');

function limited(work: () => boolean): boolean {
  try {
    const result: unknown = script.runInContext(createContext({ work }), { timeout: matchLimitMs });
    return result === true;
  } catch {
    return false;
  }
}
