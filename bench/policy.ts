import { compileExpression } from '../src/config/expression.js';
import { compilePolicy } from '../src/config/policy.js';
import { decide } from '../src/guard/policy.js';
import { policySchema } from '../src/model/policy.js';

// Policy evaluations per second: `npx tsx bench/policy.ts`.

const seconds = 1;
const policy = compilePolicy(
  policySchema.parse({
    version: '1',
    default: 'deny',
    hide: ['clear_*'],
    all_tools: { limits: [{ counter: 'all', window: 'minute', max: 100 }] },
    tools: {
      record_codegen_session: {
        actions: { deny: ['clipboard.*'], allow: ['evaluate'] },
        deny_if: [{ path: 'args.actions.url', op: 'regex', value: '^https?://(?:[^/]*\\.)?internal(?:/|$)' }],
        require: [
          { path: 'args.sessionId', op: 'exists', value: true },
          { path: 'args.actions.action', op: 'not_in', value: ['pdf', 'route'] },
        ],
        approve_if: [{ path: 'args.snapshot', op: 'eq', value: 'full' }],
        limits: [{ counter: 'record', window: 'minute', max: 30 }],
      },
    },
  }),
  compileExpression,
);
const actions = Array.from({ length: 10 }, (_, index) => ({
  action: index === 0 ? 'goto' : 'click',
  url: `https://shop.example/${index}`,
  target: `e${index}`,
}));
const call = { tool: 'record_codegen_session', args: { sessionId: 's1', actions } };

/** Processor seconds that this process has used, so that other programs do not count. */
const used = (): number => process.cpuUsage().user / 1e6;

let evaluations = 0;
const start = used();
while (used() - start < seconds) {
  for (let round = 0; round < 100; round++) decide(policy, call);
  evaluations += 100;
}
const perSecond = Math.round(evaluations / (used() - start));
console.log(
  `${perSecond.toLocaleString('en')} evaluations a second on one core: 4 conditions on a call of 10 actions (${decide(policy, call).kind}).`,
);
