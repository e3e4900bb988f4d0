import type { IModel } from '../anywidget';

type Listener = (...values: unknown[]) => void;

/** A widget's model whose kernel is the test. */
export class FakeModel implements IModel {
  /** What the kernel was sent, and each message's buffers. */
  readonly sent: Record<string, unknown>[] = [];
  readonly buffers: ArrayBuffer[][] = [];

  constructor(private readonly _traits: Record<string, unknown> = {}) {}

  get(name: string): unknown {
    return this._traits[name];
  }

  set(name: string, value: unknown): void {
    this._traits[name] = value;
  }

  save_changes(): void {
    this.sent.push({ ...this._traits });
    this.buffers.push([]);
  }

  on(event: string, listener: (...values: never[]) => void): void {
    this.listeners(event).add(listener as Listener);
  }

  off(event: string, listener: (...values: never[]) => void): void {
    this.listeners(event).delete(listener as Listener);
  }

  send(message: unknown, _callbacks?: undefined, buffers: ArrayBuffer[] = []): void {
    this.sent.push(message as Record<string, unknown>);
    this.buffers.push(buffers);
  }

  /** The kernel says something. */
  say(content: object, buffers: DataView[] = []): void {
    for (const listener of this.listeners('msg:custom')) {
      listener(content, buffers);
    }
  }

  /** Who listens to an event. */
  listeners(event: string): Set<Listener> {
    const found = this._listeners.get(event) ?? new Set();
    this._listeners.set(event, found);
    return found;
  }

  private readonly _listeners = new Map<string, Set<Listener>>();
}
