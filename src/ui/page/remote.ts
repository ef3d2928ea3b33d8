import { signal } from '@preact/signals';
import type { Pointed } from '../shapes.js';
import { post } from './api.js';
import type { Mode } from './pointed-element.js';

export interface Point {
  x: number;
  y: number;
}

/** An action as an agent would send it. */
export type Request = { action: string } & Record<string, unknown>;

type Input = { type: string } & Record<string, unknown>;

const buttons = ['left', 'middle', 'right'] as const;
/** Pixels that a drag covers at least. */
const dragDistance = 10;

/** Sends what a person does with the picture of a session to its page, in order. */
export class Remote {
  /** The element that waits for what the person types, chooses or asserts. */
  readonly pointed = signal<(Pointed & { typed: string }) | undefined>(undefined);
  /** Whether something is on its way. */
  readonly isBusy = signal(false);
  private inputs: Input[] = [];
  private isSending = false;
  private start: { point: Point; button: number } | undefined;
  /** What was typed while it was not known into what. */
  private typed = '';

  constructor(
    private readonly id: string,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  press(mode: Mode, point: Point, button: number): void {
    this.start = { point, button };
    if (mode === 'control') this.send({ type: 'move', ...point }, { type: 'down', button: buttons[button] });
  }

  move(mode: Mode, point: Point): void {
    if (mode === 'control') this.send({ type: 'move', ...point });
  }

  lift(mode: Mode, point: Point, { detail, button }: MouseEvent): void {
    const { start } = this;
    this.start = undefined;
    if (mode === 'control') {
      this.send({ type: 'move', ...point }, { type: 'up', button: buttons[button] });
      return;
    }
    if (start === undefined) return;
    const isDrag = Math.hypot(point.x - start.point.x, point.y - start.point.y) > dragDistance;
    if (isDrag && mode === 'record') void this.drag(start.point, point);
    else void this.point(mode, start.point, { button: buttons[button] ?? 'left', clicks: detail });
  }

  scroll(deltaX: number, deltaY: number, point: Point): void {
    this.send({ type: 'move', ...point }, { type: 'wheel', deltaX, deltaY });
  }

  keyDown(mode: Mode, event: KeyboardEvent): void {
    const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
    if (mode === 'control') {
      event.preventDefault();
      this.send({ type: 'keydown', key });
      return;
    }
    if (mode !== 'record' || ['Shift', 'Control', 'Alt', 'Meta'].includes(key)) return;
    event.preventDefault();
    if (this.isBusy.value && key.length === 1) {
      this.typed += key;
      return;
    }
    const modifiers = [
      ...(ctrlKey ? ['Control'] : []),
      ...(altKey ? ['Alt'] : []),
      ...(metaKey ? ['Meta'] : []),
      ...(shiftKey && key.length > 1 ? ['Shift'] : []),
    ];
    void this.record({ action: 'press', key: [...modifiers, key].join('+') });
  }

  keyUp(mode: Mode, { key }: KeyboardEvent): void {
    if (mode === 'control') this.send({ type: 'keyup', key });
  }

  paste(mode: Mode, text: string): void {
    if (mode === 'control') this.send({ type: 'text', text });
  }

  /** Records an action. Resolves to whether it succeeded. */
  record(request: Request): Promise<boolean> {
    return this.busy(() => post(`sessions/${this.id}/act`, request));
  }

  private async point(
    mode: Mode,
    point: Point,
    { button, clicks }: { button: string; clicks: number },
  ): Promise<void> {
    this.typed = '';
    let pointed: Pointed | undefined;
    await this.busy(async () => {
      pointed = await post<Pointed>(`sessions/${this.id}/point`, point);
    });
    if (pointed === undefined) return;
    const { kind, target, checked } = pointed;
    const asks = mode !== 'record' || kind === 'text' || kind === 'select' || kind === 'file';
    this.pointed.value = asks ? { ...pointed, typed: this.typed } : undefined;
    if (asks) return;
    if (kind === 'toggle') await this.record({ action: checked ? 'uncheck' : 'check', target });
    else if (clicks === 2) await this.record({ action: 'dblclick', target });
    else await this.record({ action: 'click', target, ...(button === 'left' ? {} : { button }) });
  }

  private async drag(from: Point, to: Point): Promise<void> {
    await this.busy(async () => {
      const [source, target] = [
        await post<Pointed>(`sessions/${this.id}/point`, from),
        await post<Pointed>(`sessions/${this.id}/point`, to),
      ];
      await post(`sessions/${this.id}/act`, { action: 'dragTo', target: source.target, to: target.target });
    });
  }

  private async busy(work: () => Promise<unknown>): Promise<boolean> {
    this.isBusy.value = true;
    this.onFailure(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      this.onFailure(error);
      return false;
    } finally {
      this.isBusy.value = false;
    }
  }

  /** Sends inputs in order, one request at a time; of movements that wait, only the last counts. */
  private send(...inputs: Input[]): void {
    for (const input of inputs) {
      if (input.type === 'move' && this.inputs.at(-1)?.type === 'move') this.inputs.pop();
      this.inputs.push(input);
    }
    if (!this.isSending) void this.pump();
  }

  private async pump(): Promise<void> {
    this.isSending = true;
    try {
      while (this.inputs.length > 0) await post(`sessions/${this.id}/input`, this.inputs.splice(0, 50));
    } catch (error) {
      this.inputs = [];
      this.onFailure(error);
    }
    this.isSending = false;
  }
}
