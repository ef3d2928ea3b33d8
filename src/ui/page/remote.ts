import { signal } from '@preact/signals';
import type { PointedElement } from '../../session/pointed.js';
import type { ActResult } from '../shapes.js';
import { post } from './api.js';

export interface Point {
  x: number;
  y: number;
}

/** An action as an agent would send it. */
export type Request = { action: string } & Record<string, unknown>;

type Input = { type: string } & Record<string, unknown>;

export type Mode = 'control' | 'record' | 'pick' | 'assert';

const buttons = ['left', 'middle', 'right'] as const;
/** Minimum pixels of a drag. */
const dragDistance = 10;

/** Sends what a person does in the picture of a session to its page, in order. */
export class Remote {
  readonly mode = signal<Mode>('control');
  /** The element that waits for what the person types, chooses or asserts. */
  readonly pointed = signal<(PointedElement & { typed: string }) | undefined>(undefined);
  /** Whether a request is pending. */
  readonly isBusy = signal(false);
  private inputs: Input[] = [];
  private isSending = false;
  private start: Point | undefined;
  /** What was typed before the element under the mouse was known. */
  private typed = '';

  constructor(
    private readonly id: string,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  press(point: Point, { button }: MouseEvent): void {
    this.start = point;
    if (this.mode.value === 'control')
      this.send({ type: 'move', ...point }, { type: 'down', button: buttons[button] });
  }

  move(point: Point): void {
    if (this.mode.value === 'control') this.send({ type: 'move', ...point });
  }

  lift(point: Point, { detail, button }: MouseEvent): void {
    const { start } = this;
    this.start = undefined;
    if (this.mode.value === 'control') {
      this.send({ type: 'move', ...point }, { type: 'up', button: buttons[button] });
      return;
    }
    if (start === undefined) return;
    const isDrag = Math.hypot(point.x - start.x, point.y - start.y) > dragDistance;
    if (isDrag && this.mode.value === 'record') void this.drag(start, point);
    else void this.point(start, { button: buttons[button] ?? 'left', clicks: detail });
  }

  scroll(point: Point, { deltaX, deltaY }: WheelEvent): void {
    this.send({ type: 'move', ...point }, { type: 'wheel', deltaX, deltaY });
  }

  keyDown(event: KeyboardEvent): void {
    const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
    if (this.mode.value === 'control') {
      event.preventDefault();
      this.send({ type: 'keydown', key });
      return;
    }
    if (this.mode.value !== 'record' || ['Shift', 'Control', 'Alt', 'Meta'].includes(key)) return;
    event.preventDefault();
    if (this.isBusy.value && key.length === 1) {
      this.typed += key;
      return;
    }
    const isShifted = shiftKey && key.length > 1;
    const keys = [ctrlKey && 'Control', altKey && 'Alt', metaKey && 'Meta', isShifted && 'Shift', key];
    void this.record({ action: 'press', key: keys.filter(Boolean).join('+') });
  }

  keyUp({ key }: KeyboardEvent): void {
    if (this.mode.value === 'control') this.send({ type: 'keyup', key });
  }

  paste(text: string): void {
    if (this.mode.value === 'control') this.send({ type: 'text', text });
  }

  /** Records an action. Resolves to whether it succeeded. */
  record(request: Request): Promise<boolean> {
    return this.busy(() => this.act(request));
  }

  /** Gives the page the file that it asks for. */
  chooseFile(file: string): Promise<boolean> {
    return this.busy(() => post(`sessions/${this.id}/file`, { file }));
  }

  private act(request: Request): Promise<ActResult> {
    return post<ActResult>(`sessions/${this.id}/act`, request);
  }

  private async point(point: Point, { button, clicks }: { button: string; clicks: number }): Promise<void> {
    this.typed = '';
    let pointed: PointedElement | undefined;
    await this.busy(async () => {
      const asked = { ...point, ...(this.mode.value === 'assert' && { asserts: true }) };
      pointed = await post<PointedElement>(`sessions/${this.id}/point`, asked);
    });
    if (pointed === undefined) return;
    const { kind, target, checked } = pointed;
    const asks = this.mode.value !== 'record' || kind === 'text' || kind === 'select' || kind === 'file';
    this.pointed.value = asks ? { ...pointed, typed: this.typed } : undefined;
    if (asks) return;
    if (kind === 'toggle') await this.record({ action: checked ? 'uncheck' : 'check', target });
    else if (clicks === 2) await this.record({ action: 'dblclick', target });
    else await this.click(pointed, button === 'left' ? {} : { button });
  }

  /** Asks for a file if the click opens a file chooser. */
  private async click(pointed: PointedElement, options: object): Promise<void> {
    await this.busy(async () => {
      const { asksForFile } = await this.act({ action: 'click', target: pointed.target, ...options });
      if (asksForFile) this.pointed.value = { ...pointed, kind: 'file', value: '', typed: '' };
    });
  }

  private async drag(from: Point, to: Point): Promise<void> {
    await this.busy(async () => {
      const source = await post<PointedElement>(`sessions/${this.id}/point`, from);
      const target = await post<PointedElement>(`sessions/${this.id}/point`, to);
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

  /** Sends inputs in order, one request at a time. Of consecutive moves, it sends the last. */
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
