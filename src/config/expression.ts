import { RE2JS } from 're2js';

/** An expression that is matched in linear time, whatever the text. Throws if it is not valid. */
export function compileExpression(source: string): (text: string) => boolean {
  const expression = RE2JS.compile(source);
  return (text) => expression.test(text);
}
