import { loginDirectory } from '../model/artifact.js';
import type { Limit } from '../model/policy.js';
import type { Policy } from '../model/rules.js';
import { withSlash } from './http-schema.js';
import type { LoadedConfig } from './load.js';
import { noRules } from './policy.js';
import type { Config } from './schema.js';

type Grant = Config['grants'][number];

/** The configuration of one grant. */
export interface GrantSettings {
  config: Config;
  policy: Policy;
  /** Maximum number of its open sessions; undefined if only `browser.maxSessions` applies. */
  maxSessions: number | undefined;
  /** What it needs to know about the other grants, if any. */
  others: { directories: string[]; limits: Limit[]; policies: Policy[] } | undefined;
}

/** The configuration of a grant. Without an entry it is the general one, or with `mustBeKnown` nothing is allowed. */
export function settingsOf(loaded: LoadedConfig, name: string, mustBeKnown: boolean): GrantSettings {
  const { config, policy, policies } = loaded;
  const grant = config.grants.find((each) => each.name === name);
  if (grant === undefined)
    return {
      config,
      policy: mustBeKnown ? nothingAllowed : policy,
      maxSessions: undefined,
      others: undefined,
    };
  const directoryOf = ({ output }: Grant): string => output?.dir ?? config.output.dir;
  const own = directoryOf(grant);
  return {
    config: {
      ...config,
      output: { ...config.output, dir: own },
      writes: { ...config.writes, limits: grant.limits ?? config.writes.limits },
    },
    policy: policies.get(name) ?? policy,
    maxSessions: grant.maxSessions ?? shareOf(config),
    others: {
      directories: [
        ...config.grants.map(directoryOf).filter((directory) => withSlash(directory) !== withSlash(own)),
        ...config.grants.filter((each) => each !== grant).map((each) => `${loginDirectory}/${each.name}`),
      ],
      limits: [...config.writes.limits, ...config.grants.flatMap(({ limits = [] }) => limits)],
      policies: [policy, ...policies.values()],
    },
  };
}

/** The equal share of each of several grants, so that none can take all sessions. */
function shareOf({ grants, browser }: Config): number | undefined {
  return grants.length < 2 ? undefined : Math.max(1, Math.floor(browser.maxSessions / grants.length));
}

const nothingAllowed: Policy = {
  default: 'deny',
  enforce: true,
  hide: ['*'],
  all: noRules,
  tools: new Map(),
  hash: '',
};
