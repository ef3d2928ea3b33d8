import type { FileChooser, Keyboard, Page } from 'playwright';
import { z } from 'zod';
import { defaultTestIdAttribute } from '../browser/test-id.js';
import type { Step } from '../model/step.js';
import { responseWithin } from '../model/within.js';
import type { Control } from '../session/hand-over.js';
import { messageFields } from '../session/expected-events.js';
import { elementAt } from '../session/pointed.js';
import { recordActions } from '../session/record.js';
import { requestSchema, type ActionRequest } from '../session/request.js';
import { sessionFiles } from '../session/session-files.js';
import type { Session } from '../session/session.js';
import { requireRedacted } from '../session/task-checks.js';
import { onPost, perform, type Handler, type Post } from './access.js';
import { Refusal } from './failures.js';
import type { PageApp, PageOptions } from './options.js';
import type { ActResult, Person } from './shapes.js';

/** Milliseconds after which a session is released whose person has left. */
const absentMs = 15_000;
/** Milliseconds between checks for people who have left. */
const lookMs = 3000;
/** Milliseconds for a page to take an input. */
const inputMs = 2000;
/** Inputs in one request. */
const maxInputs = 100;

const coordinate = z.number().min(0).max(100_000);
const button = z.enum(['left', 'middle', 'right']).default('left');

const inputSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('move'), x: coordinate, y: coordinate }),
  z.strictObject({ type: z.literal('down'), button }),
  z.strictObject({ type: z.literal('up'), button }),
  z.strictObject({ type: z.literal('wheel'), deltaX: z.number(), deltaY: z.number() }),
  z.strictObject({ type: z.literal('keydown'), key: z.string().max(20) }),
  z.strictObject({ type: z.literal('keyup'), key: z.string().max(20) }),
  z.strictObject({ type: z.literal('text'), text: z.string().max(100_000) }),
]);

const inputsSchema = z.array(inputSchema).max(maxInputs);

const answerSchema = z.strictObject({ accept: z.boolean(), promptText: z.string().max(10_000).optional() });

const fileSchema = z.strictObject({ file: z.string().min(1).max(1000) });

type Input = z.infer<typeof inputSchema>;

/** A session that a person who is logged in has taken over. */
interface Held {
  control: Control;
  person: Person;
  seenAt: number;
  inputs: number;
  steps: number;
  /** The file chooser that the page opened last, until it is answered. */
  chooser: FileChooser | undefined;
  /** The pages whose file choosers the person answers. */
  watched: WeakSet<Page>;
  /** What to do when control is returned. */
  cleanUps: (() => void)[];
  /** Resolves after the last of their inputs. */
  queue: Promise<unknown>;
}

/** The sessions that people have taken over. */
export class Controls {
  private readonly held = new Map<string, Held>();
  private looking: NodeJS.Timeout | undefined;

  constructor(private readonly options: PageOptions) {}

  async take(id: string, person: Person): Promise<void> {
    const control = await this.options.sessions.takeOver(id, person.name);
    this.held.set(id, {
      ...{ control, person, inputs: 0, steps: 0, chooser: undefined, watched: new WeakSet() },
      cleanUps: [control.open.live.dialogs.attend()],
      seenAt: performance.now(),
      queue: Promise.resolve(),
    });
    this.looking ??= setInterval(() => {
      this.releaseAbsent();
    }, lookMs).unref();
  }

  /** Resolves to what the person did, in numbers. */
  async release(id: string, person: Person): Promise<object> {
    return this.end(id, this.find(id, person));
  }

  /** Notes that a person watches the session that they have taken over. */
  see(id: string, { name }: Person): void {
    const held = this.held.get(id);
    if (held?.person.name === name) held.seenAt = performance.now();
  }

  /** Whether the page waits for a file from a person. */
  asksForFile(id: string): boolean {
    return this.held.get(id)?.chooser !== undefined;
  }

  /** Runs work in a session that a person has taken over, after their earlier work. */
  act<Result>(id: string, person: Person, work: (held: Held) => Promise<Result>): Promise<Result> {
    const held = this.find(id, person);
    held.seenAt = performance.now();
    const result = held.queue.then(() => {
      watchChoosers(held);
      return work(held);
    });
    held.queue = result.catch(() => undefined);
    return result;
  }

  /** Throws unless the person has taken over the session. */
  find(id: string, { name }: Person): Held {
    const held = this.held.get(id);
    if (held?.person.name === name && !held.control.isOver()) return held;
    throw new Refusal(400, 'You have not taken over this session.', 'Take over first.');
  }

  private async end(id: string, held: Held): Promise<object> {
    this.held.delete(id);
    for (const cleanUp of held.cleanUps) cleanUp();
    await held.queue;
    held.control.release();
    return { inputs: held.inputs, steps: held.steps };
  }

  private releaseAbsent(): void {
    for (const [id, held] of this.held) {
      const { seenAt, person, control } = held;
      const isAbsent = performance.now() - seenAt > absentMs || control.open.session.status !== 'open';
      if (!isAbsent && !control.isOver()) continue;
      void perform(this.options, person, { action: 'release', session: id }, async (note) => {
        note(await this.end(id, held));
      }).catch(() => undefined);
    }
    if (this.held.size > 0) return;
    clearInterval(this.looking);
    this.looking = undefined;
  }
}

const declineSchema = z.strictObject({ reason: z.string().min(1).max(500).optional() });

const pointSchema = z.strictObject({ x: coordinate, y: coordinate, asserts: z.boolean().optional() });

/** Input to the live page. Recording by hand uses the pipeline of agents' actions. */
export function addControl(app: PageApp, options: PageOptions, controls: Controls): void {
  const { contextOf, sessions } = options;
  const add = <Body>(name: string, post: Omit<Post<Body>, 'needs'>, handle: Handler<Body>): void => {
    onPost({ app, options }, `sessions/:session/${name}`, { needs: 'operator', ...post }, handle);
  };

  add('take', { action: 'take over', body: z.unknown() }, ({ id, person }) => controls.take(id, person));

  add('release', { action: 'release', body: z.unknown() }, async ({ id, person, note }) => {
    note(await controls.release(id, person));
  });

  add('decline', { action: 'decline hand-over', body: declineSchema }, ({ id, body, person }) => {
    sessions.declineHandOver(id, person.name, body.reason);
  });

  // Keys and movements are counted in the line of the release.
  const clicks = (inputs: readonly Input[]): boolean => inputs.some(({ type }) => type === 'down');
  add(
    'input',
    { action: (inputs) => (clicks(inputs) ? 'click by hand' : undefined), body: inputsSchema },
    ({ id, body: inputs, person }) => controls.act(id, person, (held) => sendInputs(held, inputs)),
  );

  add('dialog', { action: 'answer dialog', body: answerSchema }, ({ id, body, person, note }) => {
    note({ accept: body.accept });
    const { live } = controls.find(id, person).control.open;
    requireRedacted({ action: 'onDialog', args: body }, live.secrets);
    const dialog = live.dialogs.open;
    if (dialog === undefined) throw new Refusal(400, 'No dialog is open.', 'The page may have changed.');
    dialog.answer(body);
  });

  add('file', { action: 'choose file', body: fileSchema }, async ({ id, body: { file }, person, note }) => {
    note({ file });
    await controls.act(id, person, (held) => chooseFile(contextOf(grantOf(held)), held, file));
  });

  add('point', { body: pointSchema }, ({ id, body: { asserts, ...point }, person }) =>
    controls.act(id, person, ({ control: { open } }) =>
      elementAt(open.live.current, point, { testIdAttribute: testIdAttributeOf(open.session), asserts }),
    ),
  );

  add(
    'act',
    { action: ({ action }) => `record ${action.slice(0, 40)}`, body: requestSchema },
    ({ id, body: request, person }) =>
      controls.act(id, person, (held) => record(contextOf(grantOf(held)), held, request)),
  );
}

function grantOf({ control }: Held): string {
  return control.open.session.grant;
}

function testIdAttributeOf({ use }: Session): string {
  return use.testIdAttribute ?? defaultTestIdAttribute;
}

type ToolContext = ReturnType<PageOptions['contextOf']>;

/** Leaves the file choosers of the current page to the person. */
function watchChoosers(held: Held): void {
  const { page } = held.control.open.live.current;
  if (held.watched.has(page)) return;
  held.watched.add(page);
  const take = (chooser: FileChooser): void => {
    held.chooser = chooser;
  };
  page.on('filechooser', take);
  held.cleanUps.push(() => page.off('filechooser', take));
}

async function chooseFile(context: ToolContext, held: Held, file: string): Promise<void> {
  const { chooser } = held;
  if (chooser === undefined) throw new Refusal(400, 'The page asks for no file.', 'Click its button first.');
  const path = await sessionFiles(context, held.control.open.session).readable(file);
  held.chooser = undefined;
  await responseWithin(inputMs, chooser.setFiles(path));
}

/** The dialogs that a person has answered since the last action, as the steps that an agent would have recorded. */
function answersByHand({ control: { open } }: Held, { page }: Step): Step[] {
  const { session, live } = open;
  return live.dialogs.byHand.map(({ accept, promptText, message }) => {
    const isShown = session.autoAssert && live.secrets.redact(message) === message;
    const args = { ...(isShown && messageFields(message)), accept, ...(promptText && { promptText }) };
    return { action: 'onDialog', ...(page && { page }), args };
  });
}

/**
 * Records an action as an agent's call would. A click that opens a file chooser is undone: `setInputFiles` clicks again
 * when the person has named a file. Throws why the action failed.
 */
async function record(context: ToolContext, held: Held, request: ActionRequest): Promise<ActResult> {
  const { open, save } = held.control;
  const { session, live } = open;
  // An agent would name the element that gets the key.
  const focused =
    request.action === 'press' && request.target === undefined
      ? await elementAt(live.current, null, { testIdAttribute: testIdAttributeOf(session) }).catch(
          () => undefined,
        )
      : undefined;
  const { browser } = context.config();
  const limits = {
    actionMs: browser.actionTimeoutMs,
    navigationMs: browser.navigationTimeoutMs,
    files: sessionFiles(context, session),
    begin: () => undefined,
  };
  const { signal } = new AbortController();
  const requests = [{ ...request, ...(focused && { target: focused.target }) }];
  const earlier = held.chooser;
  live.dialogs.byHand = [];
  const { landed, failure } = await recordActions(open, requests, limits, signal);
  const asksForFile = request.action === 'click' && landed.length > 0 && held.chooser !== earlier;
  held.chooser = undefined;
  if (asksForFile) await recordActions(open, [{ action: 'undo' }], limits, signal);
  else held.steps += landed.length;
  const step = landed.at(-1)?.step;
  if (step !== undefined && session.steps.includes(step)) {
    const answers = answersByHand(held, step);
    session.steps.splice(session.steps.indexOf(step), 0, ...answers);
    // A person reads longer than a test.
    if (answers.length > 0) delete step.slowMs;
  }
  await save();
  if (failure !== undefined) throw failure.error;
  return { asksForFile };
}

async function sendInputs(held: Held, inputs: readonly Input[]): Promise<void> {
  const { session, live, autoAssertions } = held.control.open;
  const at = session.steps.length;
  const acts = inputs.some(({ type }) => type !== 'move' && type !== 'wheel');
  if (acts && session.unrecorded?.at(-1)?.at !== at)
    (session.unrecorded ??= []).push({ action: 'input by hand', at });
  autoAssertions?.forget();
  held.inputs += inputs.length;
  for (const input of inputs) {
    if (live.dialogs.open !== undefined) return;
    await responseWithin(inputMs, sendInput(live.current.page, input)).catch((error: unknown) => {
      // The input has opened a dialog, which waits for the person.
      if (live.dialogs.open === undefined) throw error;
    });
  }
}

async function sendInput(page: Page, input: Input): Promise<void> {
  const { mouse, keyboard } = page;
  switch (input.type) {
    case 'move':
      return mouse.move(input.x, input.y);
    case 'down':
      return mouse.down({ button: input.button });
    case 'up':
      return mouse.up({ button: input.button });
    case 'wheel':
      return mouse.wheel(input.deltaX, input.deltaY);
    case 'keydown':
      return pressKey(keyboard, input.key);
    case 'keyup':
      return keyboard.up(input.key).catch(() => undefined);
    case 'text':
      return keyboard.insertText(input.text);
  }
}

/** Keys that Playwright does not know, such as "ä", are typed as text. */
async function pressKey(keyboard: Keyboard, key: string): Promise<void> {
  try {
    await keyboard.down(key);
  } catch (error) {
    if (!/^.$/u.test(key)) throw error;
    await keyboard.insertText(key);
  }
}
