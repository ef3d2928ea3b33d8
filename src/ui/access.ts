import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { z } from 'zod';
import { hasManyEntries } from '../model/json.js';
import { includesRole, roles, type Role } from '../model/role.js';
import { sha256 } from '../model/text.js';
import { failureOf, Refusal } from './failures.js';
import { Logins } from './logins.js';
import type { PageApp, PageEnv, PageOptions } from './options.js';
import type { Person } from './shapes.js';
import { parseUrl } from '../model/parse-url.js';

/** Bytes of one request. */
const maxBytes = 256 * 1024;

const tooLarge = (): Refusal => new Refusal(400, 'The request is too large.', 'Reload the page.');

const limit = bodyLimit({
  maxSize: maxBytes,
  onError() {
    throw tooLarge();
  },
});

/** Who opens the web UI by its link. */
const local: Person = { name: 'local', role: 'operator' };

const loginSchema = z.union([z.strictObject({ token: z.string() }), z.strictObject({ link: z.string() })]);

/**
 * Logs people in, and keeps everyone else out of the API. Every request needs the cookie and, in a header, a key that
 * is kept in the storage of this origin: other ports of the host get the cookie too, and no other site may send the
 * header.
 */
export function addAccess(app: PageApp, options: PageOptions): void {
  const { link } = options;
  const logins = new Logins(({ name, role }) =>
    link === undefined
      ? options.operators().some((each) => each.name === name && each.role === role)
      : name === local.name,
  );
  const personOf = (given: z.infer<typeof loginSchema>): Person | undefined => {
    if ('link' in given) return link?.take(given.link) === true ? local : undefined;
    const wanted = options.operatorOf(given.token);
    const known = options.operators().find(({ name }) => name === wanted);
    // Without the rest of the configuration, which other servers reject.
    return known && { name: known.name, role: known.role };
  };
  const howToLogIn =
    link === undefined
      ? 'Log in with the token of an operator.'
      : 'Open the latest link that the server printed to its terminal.';
  const cookieOf = (url: string): string => `codegen-page-${new URL(url).port || 'default'}`;

  app.use(
    '/ui/api/*',
    limit,
    createMiddleware<PageEnv>(async (context, next) => {
      const { req, env } = context;
      requireOwnOrigin(req.method, req.header('origin'), req.header('host'));
      await options.refresh();
      if (req.path === '/ui/api/login') return next();
      const login = logins.find(getCookie(context, cookieOf(req.url)), req.header('x-codegen-page'));
      if (login === undefined) throw new Refusal(401, 'You are not logged in.', howToLogIn);
      options.onAccepted(env.incoming);
      context.set('login', login);
      await next();
      return undefined;
    }),
  );

  app.post('/ui/api/login', async (context) => {
    if (logins.isBlocked())
      throw new Refusal(429, 'Too many attempts to log in have failed.', 'Try again in a minute.');
    const person = personOf(loginSchema.parse(parseBody(await context.req.text())));
    if (person === undefined) {
      logins.noteFailure();
      const audit = await options.audit();
      await audit.event('operator', { action: 'login', error: 'REFUSED' });
      const problem =
        link === undefined ? 'This is not the token of an operator.' : 'This link has been used or replaced.';
      throw new Refusal(401, problem, howToLogIn);
    }
    const { cookie, key } = logins.create(person);
    const rules = {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      secure: options.scheme === 'https',
    } as const;
    setCookie(context, cookieOf(context.req.url), cookie, rules);
    await logAct(options, person, { action: 'login' });
    return context.json({ person, key });
  });

  app.post('/ui/api/logout', async (context) => {
    logins.end(deleteCookie(context, cookieOf(context.req.url), { path: '/' }));
    await logAct(options, context.get('login').person, { action: 'logout' });
    return context.json({});
  });

  app.get('/ui/api/me', (context) => context.json(context.get('login').person));
}

/** Lets in the web UI of another process of this user, which says who acts. */
export function addPeerAccess(app: PageApp, { refresh }: PageOptions, secret: string): void {
  app.use(
    '/ui/api/*',
    limit,
    createMiddleware<PageEnv>(async (context, next) => {
      const { req } = context;
      if (sha256(req.header('x-codegen-peer') ?? '') !== sha256(secret))
        throw new Refusal(401, 'You are not logged in.', 'Run `codegen-session-mcp ui`.');
      await refresh();
      const person = personSchema.parse(JSON.parse(decodeURIComponent(req.header('x-codegen-person') ?? '')));
      context.set('login', { person, key: '', usedAt: 0, streams: 0, isValid: () => true });
      await next();
    }),
  );
}

const personSchema = z.strictObject({ name: z.string(), role: z.enum(roles) });

/** Prevents CSRF. Browsers leave out `Origin` only if a page reads from its own site. */
function requireOwnOrigin(method: string, origin: string | undefined, host: string | undefined): void {
  const isOwn =
    origin === undefined ? method === 'GET' : host !== undefined && parseUrl(origin)?.host === host;
  if (!isOwn)
    throw new Refusal(403, 'The request comes from another origin.', 'Use the web UI of this server.');
}

/** Throws unless a person has a role, or one above it. */
export function requireRole({ name, role }: Person, needed: Role): void {
  if (includesRole(role, needed)) return;
  throw new Refusal(
    403,
    `This needs the role "${needed}"; ${name} is ${role}.`,
    'Ask the operator of the server to change `ui.operators`.',
  );
}

/** Adds to the line of the audit log. */
type Note = (more: object) => void;

/** Writes a line of the audit log about what a person did. */
export async function logAct(
  { audit }: PageOptions,
  { name: operator, role }: Person,
  details: { action: string; [detail: string]: unknown },
): Promise<void> {
  await (await audit()).event('operator', { operator, role, ...details });
}

/** Does what a person asked for, and writes a line about it, also if it fails. */
export async function perform<Result>(
  options: PageOptions,
  person: Person,
  act: { action: string; [detail: string]: unknown },
  work: (note: Note) => Promise<Result>,
): Promise<Result> {
  let details = act;
  try {
    const result = await work((more) => (details = { ...details, ...more }));
    await logAct(options, person, details);
    return result;
  } catch (error) {
    await logAct(options, person, { ...details, error: failureOf(error).code });
    throw error;
  }
}

/** Throws SyntaxError, and a Refusal if validation would take long. */
function parseBody(text: string): unknown {
  if (hasManyEntries(text)) throw tooLarge();
  return JSON.parse(text);
}

/** A request of a person who is logged in. */
interface PersonRequest<Body> {
  /** The session or approval in the path. */
  id: string;
  body: Body;
  person: Person;
  host: string;
  signal: AbortSignal;
  note: Note;
}

/** Returns the answer, or a promise of it. */
export type Handler<Body> = (request: PersonRequest<Body>) => unknown;

/** A route that people post to. */
export interface Post<Body> {
  needs: Role;
  /** Its name in the audit log. What changes nothing has none. */
  action?: string | ((body: Body) => string | undefined);
  body: z.ZodType<Body>;
}

/** Adds a POST route. It answers with what `handle` returns, without secrets. Parameters of the path are logged. */
export function onPost<Body>(
  { app, options }: { app: PageApp; options: PageOptions },
  path: string,
  { needs, action: given, body: schema }: Post<Body>,
  handle: Handler<Body>,
): void {
  app.post(`/ui/api/${path}`, async (context) => {
    const { req } = context;
    const { person } = context.get('login');
    const text = await req.text();
    const body = schema.parse(text === '' ? undefined : parseBody(text));
    const named: Record<string, string> = req.param();
    const [id = ''] = Object.values(named);
    const work = async (note: Note): Promise<unknown> => {
      requireRole(person, needs);
      return await handle({ id, body, person, host: req.header('host') ?? '', signal: req.raw.signal, note });
    };
    const action = typeof given === 'function' ? given(body) : given;
    const answer = await (action === undefined
      ? work(() => undefined)
      : perform(options, person, { action, ...named }, work));
    return context.json(options.secrets.redactAll(answer ?? {}));
  });
}
