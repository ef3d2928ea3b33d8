/** What it costs to watch a session in the web UI. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { serve as serveSite } from '../test/fixtures/serve.js';
import type { Connecting, Serving } from '../test/server/http/serving.js';

const loginSchema = z.object({ key: z.string() });

/** A person on the page, without a browser of their own. */
export class Viewer {
  private constructor(
    private readonly port: number,
    private readonly headers: Record<string, string>,
  ) {}

  /** Comes by the link that the server has printed. */
  static async come({ port, stderr }: Serving): Promise<Viewer> {
    const link = [...stderr().matchAll(/#\/enter\/(\S+)/g)].at(-1)?.[1] ?? '';
    const stranger = new Viewer(port, {});
    const answer = await stranger.send('POST', 'login', { link });
    const { key } = loginSchema.parse(JSON.parse(await text(answer)));
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    return new Viewer(port, { Cookie: cookie.split(';')[0] ?? '', 'X-Codegen-Page': key });
  }

  async post(path: string, body: object = {}): Promise<void> {
    const answer = await this.send('POST', path, body);
    const said = await text(answer);
    if (answer.statusCode !== 200) throw new Error(said);
  }

  /** Watches a session; `onPicture` gets each picture. */
  async watch(id: string, onPicture: (picture: string) => void): Promise<() => void> {
    const answer = await this.send('GET', `sessions/${id}`, undefined, { Accept: 'text/event-stream' });
    let rest = '';
    answer.on('data', (chunk: Buffer) => {
      const events = (rest + chunk.toString()).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) if (event.startsWith('event: picture')) onPicture(event);
    });
    answer.on('error', () => undefined);
    return () => answer.destroy();
  }

  private async send(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<IncomingMessage> {
    const { port } = this;
    const sent = request({
      ...{ port, host: '127.0.0.1', method, path: `/ui/api/${path}` },
      headers: {
        ...this.headers,
        ...headers,
        Origin: `http://127.0.0.1:${port}`,
        'Content-Type': 'application/json',
      },
    });
    sent.end(body && JSON.stringify(body));
    const [answer] = z.tuple([z.custom<IncomingMessage>()]).parse(await once(sent, 'response'));
    return answer;
  }
}

/** Milliseconds from a key of a person to the picture that shows what it did, for each of some keys. */
export async function inputToPicture(viewer: Viewer, agent: Connecting, rounds: number): Promise<number[]> {
  const site = await serveSite((_, response) => {
    response
      .setHeader('content-type', 'text/html')
      .end(
        '<body><script>let n = 0; onkeydown = () => (document.body.style.background = ++n % 2 ? "#136" : "#dfd")</script>',
      );
    return Promise.resolve();
  }, 0);
  const { sessionId } = await agent.start({ url: site.url });
  let seen: (() => void) | undefined;
  const leave = await viewer.watch(sessionId, () => seen?.());
  const next = (): Promise<void> => new Promise((resolve) => (seen = resolve));
  await next();
  await viewer.post(`sessions/${sessionId}/take`);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const shown = next();
    const before = performance.now();
    await viewer.post(`sessions/${sessionId}/input`, [
      { type: 'keydown', key: 'a' },
      { type: 'keyup', key: 'a' },
    ]);
    await shown;
    times.push(performance.now() - before);
  }
  await viewer.post(`sessions/${sessionId}/release`);
  leave();
  await agent.call('clear_codegen_session', { sessionId });
  await site.close();
  return times;
}
