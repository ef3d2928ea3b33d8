import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import type { BrowserPool } from '../browser/launch.js';
import { settingsOf, type GrantSettings } from '../config/grants.js';
import {
  createConfigSource,
  type ConfigLocation,
  type ConfigSource,
  type LoadedConfig,
} from '../config/load.js';
import type { Config } from '../config/schema.js';
import { watchFiles } from '../config/watch.js';
import { sharedState } from '../guard/context.js';
import { createGuard, type Guard } from '../guard/guard.js';
import { isInside } from '../model/paths.js';
import type { StatePlace } from '../guard/state.js';
import type { CodegenError } from '../model/errors.js';
import { sessionIds } from '../model/session-id.js';
import type { Policy } from '../model/rules.js';
import { Secrets } from '../model/secrets.js';
import { within } from '../model/within.js';
import { openDirectory, type SessionDirectory } from '../session/directory.js';
import { GrantSessions } from '../session/grant-sessions.js';
import { Sessions } from '../session/sessions.js';
import { stateDirectoryOf } from '../state/files.js';
import { redisOf, type Redis } from '../state/redis.js';
import type { ToolContext } from '../tools/tool.js';
import { RunningCalls } from './calls.js';
import type { Telemetry } from './telemetry.js';
import { Webhook } from './webhook.js';

/** When the server stops: milliseconds to close sessions, browsers and logs, and to send pending events. */
const closingMs = 5000;
const webhookMs = 2000;

export interface Connection {
  context: ToolContext;
  end: () => Promise<void>;
}

interface BackendOptions extends ConfigLocation {
  /** Name of this server among those that share Redis. */
  name: string | undefined;
  browsers: BrowserPool;
  /** Whether unknown grants are denied everything. */
  mustBeKnown: () => boolean;
  /** Throws CONFIG_INVALID if this server can't use the configuration. */
  accept: (config: Config) => void;
}

/** Throws CONFIG_INVALID. */
export async function createBackend(options: BackendOptions): Promise<Backend> {
  const source = await createConfigSource(options, options.accept);
  const loaded = await source.current();
  const stateDirectory = await stateDirectoryOf(options.workspace, loaded.config.state.dir);
  const endpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const telemetry = endpoint
    ? (await import('./telemetry.js')).startTelemetry(endpoint, process.env)
    : undefined;
  return new Backend({ ...options, stateDirectory }, source, loaded, telemetry);
}

/** What all connections of a process share. */
export class Backend {
  readonly calls = new RunningCalls();
  readonly webhook: Webhook;
  readonly secrets: Secrets;
  /** The sessions of all grants. */
  readonly sessions: Sessions;
  private reported: CodegenError | undefined;
  private readonly stateDirectory: string;
  private readonly redis: Redis | undefined;
  private readonly state: ReturnType<typeof sharedState>;
  private readonly directory: SessionDirectory | undefined;
  private readonly connections = new Map<string, Connection>();
  private readonly sessionsByGrant = new Map<string, GrantSessions>();
  private readonly listeners = new Set<() => Promise<void>>();
  private endWatching: (() => void) | undefined;

  constructor(
    private readonly options: BackendOptions & { stateDirectory: string },
    private readonly source: ConfigSource,
    private loaded: LoadedConfig,
    private readonly telemetry: Telemetry | undefined,
  ) {
    const { name, stateDirectory } = options;
    const { state } = this.config();
    this.reported = source.problem;
    this.webhook = new Webhook(() => this.config().webhook, process.env);
    this.secrets = new Secrets(() => this.config().secrets, process.env);
    this.stateDirectory = stateDirectory;
    this.sessions = new Sessions(() => this.config().browser, this.stateDirectory, sessionIds(name));
    this.redis = redisOf(state);
    this.state = sharedState({ directory: this.stateDirectory, redis: this.redis });
    this.directory = this.redis && openDirectory(this.redis, name ?? hostname());
  }

  /** The configuration as of the last refresh, without the settings of grants. */
  config(): Config {
    return this.loaded.config;
  }

  /** The connection that the server itself uses for a grant. */
  ownConnection(grant: string): Connection {
    const known = this.connections.get(grant) ?? this.connect(grant);
    this.connections.set(grant, known);
    return known;
  }

  connect(grant: string): Connection {
    const { stateDirectory, secrets, source, directory } = this;
    const { workspace, browsers } = this.options;
    const settings = this.cachedSettings(grant);
    const guard = createGuard({
      workspace,
      stateDirectory,
      config: () => {
        const { config, policy, others } = settings();
        const { templatesDir } = config.output;
        const hasTemplates =
          templatesDir !== null && !isInside(path.resolve(workspace, templatesDir), workspace);
        const certificate = Object.values(config.http.tls ?? {});
        const operatorFiles = [...source.files(), ...(hasTemplates ? [templatesDir] : []), ...certificate];
        return { ...config, policy, others, operatorFiles };
      },
      caller: { grant, connection: randomBytes(8).toString('hex') },
      secrets,
      redis: this.redis,
      state: this.state,
    });
    const watching: (() => void)[] = [];
    const context: ToolContext = {
      workspace,
      stateDirectory,
      config: () => settings().config,
      refresh: () => this.refresh(guard),
      problem: () => source.problem?.message,
      watch: (listener) => {
        watching.push(this.watch(listener));
      },
      guard,
      sessions: this.sessionsOf(grant),
      browsers,
      secrets,
      serverOf: async (id) => directory?.serverOf(id, grant),
    };
    const end = async (): Promise<void> => {
      for (const unwatch of watching) unwatch();
      await within(
        closingMs,
        guard.audit().then((audit) => audit.stop()),
      );
    };
    return { context, end };
  }

  /** Waits up to `drainingMs` for running calls, then closes browsers and sessions, which can be resumed. */
  async close(drainingMs: number): Promise<void> {
    this.endWatching?.();
    this.sessions.seal();
    await this.calls.drain(drainingMs);
    // A page may not respond; Playwright kills its browser when the process exits.
    await within(
      closingMs,
      Promise.all([
        this.sessions.closeAll().then(() => this.options.browsers.close()),
        this.webhook.close(webhookMs),
        this.telemetry?.close(),
      ]),
    );
  }

  private async refresh(guard: Guard): Promise<void> {
    const now = await this.source.current();
    const { problem } = this.source;
    const [isChanged, isRejected] = [now !== this.loaded, problem !== this.reported];
    [this.loaded, this.reported] = [now, problem];
    if (isChanged) await (await guard.audit()).event('reload');
    if (isRejected && problem !== undefined)
      await (await guard.audit()).event('reload-refused', { error: problem.code });
  }

  private watch(listener: () => Promise<void>): () => void {
    this.listeners.add(listener);
    this.endWatching ??= watchFiles(this.source.files, async () => {
      await Promise.all([...this.listeners].map((each) => each()));
    });
    return () => this.listeners.delete(listener);
  }

  get statePlace(): StatePlace {
    return { directory: this.stateDirectory, redis: this.redis };
  }

  policyOf(grant: string): Policy {
    return this.settingsOf(grant).policy;
  }

  private settingsOf(grant: string): GrantSettings {
    return settingsOf(this.loaded, grant, this.options.mustBeKnown());
  }

  /** Cached until the configuration changes, since every request of a page reads them. */
  private cachedSettings(grant: string): () => GrantSettings {
    let seen: { loaded: LoadedConfig; settings: GrantSettings } | undefined;
    return () => {
      if (seen?.loaded !== this.loaded) seen = { loaded: this.loaded, settings: this.settingsOf(grant) };
      return seen.settings;
    };
  }

  private sessionsOf(grant: string): GrantSessions {
    const known = this.sessionsByGrant.get(grant);
    if (known !== undefined) return known;
    const own = new GrantSessions(this.sessions, {
      grant,
      maxSessions: () => this.settingsOf(grant).maxSessions,
      onStart: (session) => void this.directory?.register(session),
    });
    this.sessionsByGrant.set(grant, own);
    return own;
  }
}
