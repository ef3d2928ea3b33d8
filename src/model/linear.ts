import { createContext, Script } from 'node:vm';
import { RE2JS } from 're2js';
import { linearSource } from './linear-syntax.js';
import type { Pattern } from './locator.js';

/**
 * Instructions times characters that a match may cost: 0.1 s at the worst, when every instruction is a state of every
 * character. What costs more runs under a time limit.
 */
const maxCost = 200_000;
const matchLimitMs = 100;
/** Characters of a text that is matched at all. */
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
    expression = undefined;
  }
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(key, expression);
  return expression;
}

function flagsOf({ flags = '' }: Pattern): number {
  const all = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL };
  return Object.entries(all).reduce(
    (sum, [flag, value]) => (flags.includes(flag) ? sum | value : sum),
    RE2JS.LOOKBEHINDS,
  );
}

/**
 * Whether an expression matches a text, or a part of it. Takes linear time, holds the event loop for 0.1 s at most and
 * never throws: what RE2 can't express and what takes longer does not match.
 */
export function matches(pattern: Pattern, text: string): boolean {
  const expression = text.length > maxText ? undefined : compile(pattern);
  if (expression === undefined) return false;
  if (text.length * expression.programSize() <= maxCost) return expression.test(text);
  // Its own, since a match that is stopped leaves an expression in an unknown state.
  return limited(() => RE2JS.compile(expression.pattern(), expression.flags()).test(text));
}

/** Milliseconds of CPU time that the matches of many texts may take together, in a stretch of time. */
interface Budget {
  budgetMs: number;
  stretchMs: number;
  /** Called for each match that used up the budget. */
  onExhausted: () => void;
}

/** `matches` for many texts. Once the budget of a stretch of time is used up, it matches nothing more in it. */
export function budgeted(
  pattern: Pattern,
  { budgetMs, stretchMs, onExhausted }: Budget,
): (text: string) => boolean {
  let begun = 0;
  let used = 0;
  return (text) => {
    const start = performance.now();
    if (start - begun > stretchMs) [begun, used] = [start, 0];
    if (used > budgetMs) return false;
    const before = process.cpuUsage();
    const isMatch = matches(pattern, text);
    // Time in which a busy machine runs other processes does not count, nor what other threads of this one use.
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
