import { createInterface } from 'node:readline/promises';

export type Print = (line: string) => void;

/** Where a person answers; undefined if the process has no terminal. */
export type Terminal = { ask: (question: string) => Promise<string> } | undefined;

export function ownTerminal(): Terminal {
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY || !output.isTTY) return undefined;
  return {
    async ask(question) {
      const lines = createInterface({ input, output });
      try {
        return await lines.question(question);
      } finally {
        lines.close();
      }
    },
  };
}

export async function confirms(terminal: Terminal, question: string): Promise<boolean> {
  const answer = (await terminal?.ask(`${question} (yes/no) `)) ?? '';
  return /^y(?:es)?$/i.test(answer.trim());
}
