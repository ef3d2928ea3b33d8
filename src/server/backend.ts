import { hostname } from 'node:os';
import path from 'node:path';
import type { BrowserPool } from '../browser/launch.js';
import { createCalls, type RunningCalls } from './calls.js';
import { settingsOf, type GrantSettings } from '../config/grants.js';
import { createConfigSource, type ConfigLocation, type LoadedConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { watchFiles } from '../config/watch.js';
import { sharedState } from '../guard/context.js';
import { createGuard } from '../guard/guard.js';
import type { Caller } from '../guard/quota.js';
import { sessionIds } from '../model/session-id.js';
import { createSecrets, type Secrets } from '../model/secrets.js';
import { within } from '../model/within.js';
import { openDirectory } from '../session/directory.js';
import { GrantSessions } from '../session/grant-sessions.js';
import { Sessions } from '../session/sessions.js';
import { redisOf } from '../state/redis.js';
import type { ToolContext } from '../tools/tool.js';

/** Milliseconds for sessions and browsers, and for the last lines of the log, when the server stops. */
const closingMs = 5000;

/** One MCP connection: what its calls have at hand. */
export interface Connection {
  context: ToolContext;
  end(): Promise<void>;
}

/** What all connections of a process share. */
export interface Backend {
  /** The configuration as it was at the last refresh, for no grant in particular. */
  config: () => Config;
  secrets: Secrets;
  /** The sessions of all grants. */
  sessions: Sessions;
  connect(caller: Caller): Connection;
  calls: RunningCalls;
  /** Lets running calls go on for `drainingMs` at most, then closes sessions, so that they can be resumed, and browsers. */
  close(drainingMs: number): Promise<void>;
}

/** Reads the configuration and opens what is shared. Throws CONFIG_INVALID. */
export async function createBackend(
  options: ConfigLocation & {
    /** Of this server, among those that share Redis. */
    name: string | undefined;
    browsers: BrowserPool;
    /** Whether grants that are not configured may do nothing. */
    mustBeKnown: () => boolean;
    /** Throws CONFIG_INVALID over a configuration that this server can't use. */
    accept: (config: Config) => void;
  },
): Promise<Backend> {
  const { workspace, name, browsers, accept, mustBeKnown } = options;
  const source = await createConfigSource(options, accept);
  let loaded = await source.current();
  let told = source.problem;
  const secrets = createSecrets(() => loaded.config.secrets, process.env);
  const stateDirectory = path.resolve(workspace, loaded.config.state.dir);
  const sessions = new Sessions(() => loaded.config.browser, stateDirectory, sessionIds(name));
  const redis = redisOf(loaded.config.state);
  const state = sharedState({ directory: stateDirectory, redis });
  const directory = redis && openDirectory(redis, name ?? hostname());
  const calls = createCalls();
  const sessionsByGrant = new Map<string, GrantSessions>();
  const listeners = new Set<() => Promise<void>>();
  let endWatching: (() => void) | undefined;

  function watch(listener: () => Promise<void>): () => void {
    listeners.add(listener);
    endWatching ??= watchFiles(source.files, async () => {
      await Promise.all([...listeners].map((each) => each()));
    });
    return () => listeners.delete(listener);
  }

  function sessionsOf(grant: string): GrantSessions {
    const known = sessionsByGrant.get(grant);
    if (known !== undefined) return known;
    const own = new GrantSessions(sessions, {
      grant,
      maxSessions: () => settingsOf(loaded, grant, mustBeKnown()).maxSessions,
      onStart: (session) => void directory?.register(session),
    });
    sessionsByGrant.set(grant, own);
    return own;
  }

  function connect(caller: Caller): Connection {
    const settings = settingsFor(
      () => loaded,
      (now) => settingsOf(now, caller.grant, mustBeKnown()),
    );
    const guard = createGuard({
      workspace,
      stateDirectory,
      config: () => {
        const { config, policy, others } = settings();
        return { ...config, policy, others };
      },
      caller,
      redis,
      state,
    });
    const watching: (() => void)[] = [];
    return {
      context: {
        workspace,
        stateDirectory,
        config: () => settings().config,
        async refresh() {
          const now = await source.current();
          const [isChanged, isRefused] = [now !== loaded, source.problem !== told];
          [loaded, told] = [now, source.problem];
          if (isChanged) await (await guard.audit()).event('reload');
          if (isRefused && told !== undefined)
            await (await guard.audit()).event('reload-refused', { error: told.code });
        },
        problem: () => source.problem?.message,
        watch: (listener) => {
          watching.push(watch(listener));
        },
        guard,
        sessions: sessionsOf(caller.grant),
        browsers,
        secrets,
        serverOf: async (id) => directory?.serverOf(id, caller.grant),
      },
      async end() {
        for (const unwatch of watching) unwatch();
        await within(
          closingMs,
          guard.audit().then((audit) => audit.stop()),
        );
      },
    };
  }

  return {
    config: () => loaded.config,
    secrets,
    sessions,
    calls,
    connect,
    async close(drainingMs) {
      endWatching?.();
      sessions.seal();
      await calls.drain(drainingMs);
      // A page that does not respond holds up its closing; Playwright kills what is left when the process exits.
      await within(
        closingMs,
        sessions.closeAll().then(() => browsers.close()),
      );
    },
  };
}

/** Caches what `of` makes of the configuration until it changes, since every request of a page asks for it. */
function settingsFor(
  loaded: () => LoadedConfig,
  of: (loaded: LoadedConfig) => GrantSettings,
): () => GrantSettings {
  let seen: { loaded: LoadedConfig; settings: GrantSettings } | undefined;
  return () => {
    const now = loaded();
    if (seen?.loaded !== now) seen = { loaded: now, settings: of(now) };
    return seen.settings;
  };
}
