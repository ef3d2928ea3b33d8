import type { Use } from '../model/use.js';
import { CodegenError } from '../model/errors.js';
import type { Live } from '../browser/live.js';
import type { Session } from './session.js';
import { missing, type Sessions } from './sessions.js';

/** The sessions of one grant; there are no others to it. */
export interface GrantSessions extends Omit<Sessions, 'start' | 'seal' | 'closeAll'> {
  grant: string;
  /** Opens a session of the grant. Throws SESSION_LIMIT. */
  start(plan: Omit<Parameters<Sessions['start']>[0], 'grant'>, open: () => Promise<Live>): Promise<Session>;
  /** The `use` of every open session, whoever owns it: they share a browser. */
  openUses(): Use[];
}

/** The sessions of `all` that a grant owns, of which it may have `maxSessions` open, where that is set. */
export function grantSessions(
  all: Sessions,
  grant: string,
  maxSessions: () => number | undefined,
): GrantSessions {
  let starting = 0;
  const own = (): Session[] => all.list().filter((session) => session.grant === grant);

  function find(id: string): Session {
    const session = all.find(id);
    if (session.grant !== grant) throw missing(id);
    return session;
  }

  return {
    ...all,
    grant,
    find,
    list: own,
    use: async (id, work) => all.use(find(id).id, work),
    useRecorded: async (id, work) => all.useRecorded(find(id).id, work),

    async start(plan, open) {
      const active = own().filter(({ status }) => status === 'open').length + starting;
      if (active >= (maxSessions() ?? Infinity))
        throw new CodegenError(
          'SESSION_LIMIT',
          `${active} sessions are open, as many as maxSessions of this grant allows.`,
          {
            hint: 'End or clear one first; get_codegen_session lists them.',
          },
        );
      starting++;
      try {
        return await all.start({ ...plan, grant }, open);
      } finally {
        starting--;
      }
    },

    openUses: () =>
      all
        .list()
        .filter(({ status }) => status === 'open')
        .map(({ use }) => use),
  };
}
