import { createInterface } from 'node:readline/promises';
import type { ConfigLocation } from '../config/load.js';
import { openApprovals, titleOf, type Approval, type Approvals } from '../guard/approvals.js';
import { CodegenError } from '../model/errors.js';
import { escapeInvisible } from '../model/text.js';
import { statePlaceOf } from './state-place.js';

/** Where a person reads and answers; undefined where there is no terminal. */
export type Terminal = { ask: (question: string) => Promise<string> } | undefined;

/**
 * Lists, shows or decides the requests for approval. Throws INVALID_INPUT where no request of that id is open, and
 * where it would be approved without a terminal: what an agent runs has none.
 */
export async function approvals(
  location: ConfigLocation,
  { command, id, reason }: { command: string; id: string | undefined; reason: string | undefined },
  terminal: Terminal,
  print: (line: string) => void,
): Promise<void> {
  const store = openApprovals(await statePlaceOf(location));
  if (command === 'list') {
    const list = await store.list();
    if (list.length === 0) print('No approvals are asked for.');
    for (const each of list) print(lineOf(each));
    return;
  }
  const approval = await requestOf(store, id);
  if (command === 'decline') {
    await store.decide(approval.id, false, reason);
    print(`Declined ${approval.id}.`);
    return;
  }
  if (command === 'approve' && terminal === undefined)
    throw new CodegenError('INVALID_INPUT', 'Approving needs a terminal.', {
      hint: 'Run it yourself, in a terminal: an approval that an agent could give would be none.',
    });
  print(lineOf(approval));
  print('');
  print(escapeInvisible(await store.subjectOf(approval)));
  if (command !== 'approve' || terminal === undefined) return;
  const answer = await terminal.ask('Approve it? (yes/no) ');
  if (!/^y(?:es)?$/i.test(answer.trim())) {
    print('Nothing was decided.');
    return;
  }
  await store.decide(approval.id, true, reason);
  print(`Approved ${approval.id}: the same call goes through once.`);
}

/** The terminal of this process. */
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

async function requestOf(store: Approvals, id: string | undefined): Promise<Approval> {
  const found = (await store.list()).find((each) => each.id === id);
  if (found !== undefined) return found;
  throw new CodegenError('INVALID_INPUT', `There is no request ${JSON.stringify(id ?? '')}.`, {
    hint: '`codegen-session-mcp approvals list` shows them; one expires after 15 minutes.',
  });
}

function lineOf(approval: Approval): string {
  const { id, grant, tool, decision, usedBy, asked } = approval;
  const said = decision === undefined ? 'open' : decision.approved ? 'approved' : 'declined';
  const status = usedBy === undefined ? said : 'used';
  return `${id}  ${status}  ${tool} by ${escapeInvisible(grant)}, ${new Date(asked.wall).toISOString()}  ${titleOf(approval)}`;
}
