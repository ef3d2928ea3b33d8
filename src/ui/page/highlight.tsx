import type { JSX } from 'preact';

/** The kinds of the groups of `parts`, in their order. */
const kinds = ['comment', 'string', 'keyword', 'number'];
const parts =
  /(\/\/.*|\/\*[^]*?\*\/)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\b(import|from|const|let|await|async|return|if|for|of|new|type|function|true|false|null|undefined)\b|\b(\d[\d_.]*)\b/g;

/** The code of a test with its parts in colours. */
export function Highlighted({ code }: { code: string }): JSX.Element {
  const shown: (string | JSX.Element)[] = [];
  let end = 0;
  for (const match of code.matchAll(parts)) {
    const kind = kinds[match.slice(1).findIndex((group: string | undefined) => group !== undefined)];
    shown.push(
      code.slice(end, match.index),
      <span key={match.index} class={`code-${kind ?? ''}`}>
        {match[0]}
      </span>,
    );
    end = match.index + match[0].length;
  }
  return (
    <>
      {shown}
      {code.slice(end)}
    </>
  );
}
