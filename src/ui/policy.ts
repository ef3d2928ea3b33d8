import path from 'node:path';
import { z } from 'zod';
import { explainActions, explainRules, owners, summaryOf } from '../guard/explain.js';
import { periodOf } from '../guard/limits.js';
import { decide } from '../guard/policy.js';
import { recordTool } from '../model/policy.js';
import { riskOf, tools } from '../tools/registry.js';
import { onPost } from './access.js';
import { Refusal } from './failures.js';
import { follow } from './follow.js';
import type { PageApp, PageOptions } from './options.js';
import type { PolicyView, PolicyVerdict } from './shapes.js';

const trySchema = z.strictObject({ grant: z.string(), tool: z.string().max(200), args: z.unknown() });

/** The policies of all grants in plain words, how full their limits are, and what would be decided. */
export function addPolicy(app: PageApp, options: PageOptions): void {
  app.get('/ui/api/policy', (context) =>
    follow(context, options, () => Promise.all(options.grants().map((grant) => viewOf(options, grant)))),
  );

  const attempt = { needs: 'viewer', body: trySchema } as const;
  onPost({ app, options }, 'policy/try', attempt, ({ body: { grant, tool, args } }) => {
    if (!options.grants().includes(grant))
      throw new Refusal(404, `There is no grant "${grant}".`, 'Choose one from the list.');
    const { kind, rule, reason } = decide(options.policyOf(grant), { tool, args });
    return { kind, rule, reason } satisfies PolicyVerdict;
  });
}

async function viewOf({ policyOf, contextOf, workspace }: PageOptions, grant: string): Promise<PolicyView> {
  const policy = policyOf(grant);
  const used = await contextOf(grant).guard.used();
  return {
    grant,
    file: policy.file && path.relative(workspace, policy.file),
    general: [
      `Tools that are not listed are ${policy.default === 'deny' ? 'denied' : 'allowed'}.`,
      ...explainRules(policy.all).map((line) => `Every tool: ${line}`),
    ],
    tools: tools.map((tool) => {
      const rules = policy.tools.get(tool.name);
      return {
        name: tool.name,
        risk: riskOf(tool),
        summary: summaryOf(policy, tool.name),
        rules: [
          ...(rules === undefined ? [] : explainRules(rules)),
          ...(tool.name === recordTool ? explainActions(rules) : []),
        ],
      };
    }),
    limits: used.map(({ limit, used, resetMs }) => ({
      ...{ name: limit.counter, used, max: limit.max, window: periodOf(limit), scope: owners[limit.scope] },
      resetsAt: resetMs === undefined ? undefined : timeIn(resetMs),
    })),
  };
}

/** In whole seconds, so that a state that has not changed is not sent again. */
function timeIn(ms: number): string {
  return new Date(Math.round((Date.now() + ms) / 1000) * 1000).toISOString();
}
