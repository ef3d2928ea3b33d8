import type { ConfigLocation } from '../config/load.js';
import { openApprovals, titleOf, type Approval, type Approvals } from '../guard/approvals.js';
import { CodegenError } from '../model/errors.js';
import { escapeInvisible } from '../model/text.js';
import { statePlaceOf } from './state-place.js';
import { confirms, type Print, type Terminal } from './terminal.js';

/** Lists, shows or decides the requests for approval. Throws INVALID_INPUT. */
export async function approvals(
  location: ConfigLocation,
  { command, id, reason }: { command: string; id: string | undefined; reason: string | undefined },
  terminal: Terminal,
  print: Print,
): Promise<void> {
  const store = openApprovals(await statePlaceOf(location));
  if (command === 'list') {
    const list = await store.list();
    if (list.length === 0) print('No approvals are pending.');
    for (const each of list) print(lineOf(each));
    return;
  }
  const approval = await requestOf(store, id);
  if (command === 'decline') {
    await store.decide(approval.id, false, reason);
    print(`Declined ${approval.id}.`);
    return;
  }
  // Without a terminal, it may be an agent.
  if (command === 'approve' && terminal === undefined)
    throw new CodegenError('INVALID_INPUT', 'Approval requires a terminal.', {
      hint: 'Run the command yourself in a terminal; an agent must not approve its own calls.',
    });
  print(lineOf(approval));
  print('');
  print((await store.subjectOf(approval)) ?? "It can't be shown: its server was killed while it asked.");
  if (command !== 'approve') return;
  if (!(await confirms(terminal, 'Approve it?'))) {
    print('Nothing was decided.');
    return;
  }
  await store.decide(approval.id, true, reason);
  print(`Approved ${approval.id}: the same call is allowed once.`);
}

async function requestOf(store: Approvals, id: string | undefined): Promise<Approval> {
  const found = (await store.list()).find((each) => each.id === id);
  if (found !== undefined) return found;
  throw new CodegenError('INVALID_INPUT', `There is no approval request ${JSON.stringify(id ?? '')}.`, {
    hint: '`codegen-session-mcp approvals list` lists the requests; each expires after 15 minutes.',
  });
}

function lineOf(approval: Approval): string {
  const { id, grant, tool, decision, usedBy, asked } = approval;
  const said = decision === undefined ? 'open' : decision.approved ? 'approved' : 'declined';
  const status = usedBy === undefined ? said : 'used';
  return `${id}  ${status}  ${tool} by ${escapeInvisible(grant)}, ${new Date(asked.wall).toISOString()}  ${titleOf(approval)}`;
}
