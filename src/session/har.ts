import type { Exchange } from '../browser/har-recorder.js';
import { artifactBytes } from '../model/artifact.js';
import { CodegenError } from '../model/errors.js';
import { withHarHeader } from '../model/header.js';
import type { Secrets } from '../model/secrets.js';
import { version } from '../model/version.js';
import { destinationOf, refusalReason, type NetworkRules } from '../network/rules.js';
import { holdsSecret } from './secret-like.js';
import type { Session } from './session.js';

/** A HAR that the test replays from a step on. */
interface HarFile {
  /** Relative to the workspace, with forward slashes. */
  path: string;
  /** Index of the step before which the test starts to replay it. */
  before: number;
  text: string;
}

export interface SessionHar {
  files: HarFile[];
  warnings: string[];
}

/** Response headers that affect what a page does. */
const keptHeaders =
  /^(?:content-(?:type|disposition|language|security-policy.*)|location|link|cache-control|access-control-.*|cross-origin-.*|referrer-policy|permissions-policy|x-content-type-options)$/;

const textTypes = /^text\/|\b(?:json|javascript|ecmascript|xml|x-www-form-urlencoded)\b/i;

/** Maximum number of URLs in a warning. */
const maxNamed = 3;

interface Setting {
  /** The test's path in the workspace. */
  spec: string;
  secrets: Secrets;
  rules: NetworkRules;
}

/**
 * What the network answered while a session was recorded. Playwright replays the first answer that a HAR has for a
 * request, so each step in which one changes begins another file. Undefined unless the session records it. Throws
 * FILE_TOO_LARGE.
 */
export async function sessionHar(session: Session, setting: Setting): Promise<SessionHar | undefined> {
  const { network } = session;
  if (network === undefined) return undefined;
  await network.settled();
  if (network.isOver)
    throw new CodegenError('FILE_TOO_LARGE', `The HAR would have more than ${artifactBytes} bytes.`, {
      hint: 'Add origins that the flow does not need to network.blockedOrigins, or record a shorter flow or one without `har`.',
    });
  const { secrets, rules } = setting;
  const words = Object.values(session.uniques ?? {});
  const varies = (text: string): boolean =>
    secrets.redact(text) !== text || words.some((word) => text.includes(word));
  const allowed = network.exchanges.filter(({ url }) => {
    const destination = destinationOf(url);
    return destination !== undefined && refusalReason(rules, destination) === undefined;
  });
  const answered = allowed.filter(({ answer, url }) => answer !== undefined && !varies(url));
  const parts = partsOf(answered, session);
  const several = distinctBodies(answered);
  const texts = parts.map(({ exchanges }) =>
    exchanges.map((each) =>
      entryOf(each, secrets, several.has(requestOf(each)) && !varies(each.postData ?? '')),
    ),
  );
  return {
    files: parts.map(({ before }, index) => {
      const path = harPath(setting.spec, index);
      return { path, before, text: withHarHeader(path, harText(texts[index] ?? [])) };
    }),
    warnings: [
      ...named(
        allowed.filter(({ url }) => varies(url)).map(({ url }) => secrets.redact(url)),
        (urls) => `A HAR can't answer requests whose URL has another value in every run: ${urls}.`,
      ),
      ...named(
        [...network.sockets].map((url) => secrets.redact(url)),
        (urls) => `A HAR can't replay WebSockets: ${urls}.`,
      ),
      ...named(
        answered
          .filter(({ answer }) => holdsSecret(secrets.redact(answer?.body.toString() ?? '')))
          .map(({ url }) => url),
        (urls) =>
          `The HAR seems to contain a key or token, in the answer of ${urls}: look before you commit it.`,
      ),
    ],
  };
}

function harText(entries: readonly object[]): string {
  const creator = { name: 'codegen-session-mcp', version };
  return `${JSON.stringify({ log: { version: '1.2', creator, entries } }, null, 2)}\n`;
}

function harPath(spec: string, index: number): string {
  return spec.replace(/(?:\.(?:spec|test|setup))?\.[jt]s$/, `${index === 0 ? '' : `.${index + 1}`}.har`);
}

interface Part {
  before: number;
  exchanges: Exchange[];
}

/** The exchanges, in parts in which no answer changes; of those in one step, the last counts. */
function partsOf(exchanges: readonly Exchange[], { steps }: Session): Part[] {
  const parts: Part[] = [{ before: 0, exchanges: [] }];
  /** The index of the step that each exchange belongs to. */
  const steppedAt = new Map<Exchange, number>();
  let at = 0;
  for (const exchange of exchanges) {
    // Steps may be removed: what they asked for then belongs to the step before.
    if (exchange.after !== undefined) at = Math.max(at, steps.indexOf(exchange.after) + 1);
    steppedAt.set(exchange, at);
    const current = parts.at(-1) ?? { before: 0, exchanges: [] };
    const known = parts.flatMap((part) => part.exchanges).findLast((each) => keyOf(each) === keyOf(exchange));
    if (known !== undefined && isSameAnswer(known, exchange)) continue;
    const place = known === undefined ? -1 : current.exchanges.indexOf(known);
    const isNow = known !== undefined && steppedAt.get(known) === at && place !== -1;
    if (isNow) current.exchanges[place] = exchange;
    else if (known === undefined || current.before === at) current.exchanges.push(exchange);
    else parts.push({ before: at, exchanges: [exchange] });
  }
  return parts;
}

function requestOf({ method, url }: Exchange): string {
  return `${method} ${url}`;
}

function keyOf(exchange: Exchange): string {
  return `${requestOf(exchange)} ${exchange.postData ?? ''}`;
}

function isSameAnswer({ answer: one }: Exchange, { answer: other }: Exchange): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.status === other.status && one.body.equals(other.body);
}

/** The requests whose responses depend on their bodies. */
function distinctBodies(exchanges: readonly Exchange[]): ReadonlySet<string> {
  const bodies = new Map<string, string | undefined>();
  const distinct = new Set<string>();
  for (const exchange of exchanges) {
    const request = requestOf(exchange);
    if (bodies.has(request) && bodies.get(request) !== exchange.postData) distinct.add(request);
    bodies.set(request, exchange.postData);
  }
  return distinct;
}

/** An entry of a HAR without cookies, with the headers and bodies that replaying needs. */
function entryOf(
  { method, url, postData, contentType, answer }: Exchange,
  secrets: Secrets,
  hasBody: boolean,
): object {
  const { status, statusText, headers, body } = answer ?? noAnswer;
  const mimeType = headers['content-type'] ?? 'application/octet-stream';
  const text = body.toString();
  const isText = textTypes.test(mimeType) && Buffer.from(text).equals(body);
  const kept = Object.entries(headers).filter(([name]) => keptHeaders.test(name));
  return {
    startedDateTime: '1970-01-01T00:00:00.000Z',
    time: 0,
    request: {
      method,
      url,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: hasBody && contentType !== undefined ? [{ name: 'content-type', value: contentType }] : [],
      queryString: [],
      headersSize: -1,
      bodySize: -1,
      ...(hasBody && postData !== undefined
        ? { postData: { mimeType: contentType ?? '', params: [], text: postData } }
        : {}),
    },
    response: {
      status,
      statusText,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: kept.map(([name, value]) => ({ name, value: secrets.redact(value) })),
      content: {
        size: -1,
        mimeType,
        ...(isText ? { text: secrets.redact(text) } : { encoding: 'base64', text: body.toString('base64') }),
      },
      headersSize: -1,
      bodySize: -1,
      redirectURL: '',
    },
    cache: {},
    timings: { send: -1, wait: -1, receive: -1 },
  };
}

const noAnswer: NonNullable<Exchange['answer']> = {
  status: 0,
  statusText: '',
  headers: {},
  body: Buffer.alloc(0),
};

function named(urls: readonly string[], warning: (urls: string) => string): string[] {
  const known = [...new Set(urls)];
  if (known.length === 0) return [];
  const more = known.length > maxNamed ? ` and ${known.length - maxNamed} more` : '';
  return [warning(`${known.slice(0, maxNamed).join(', ')}${more}`)];
}
