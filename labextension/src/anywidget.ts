/** What anywidget gives a widget's `render`, as far as it is used here. */

/** The widget's model: traits that the kernel has as well, and messages to and from it. */
export interface IModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  /** Send what was set to the kernel. */
  save_changes(): void;
  /** `change:NAME` when a trait has changed, `msg:custom` when the kernel sends a message. */
  on(event: string, listener: (...values: never[]) => void): void;
  off(event: string, listener: (...values: never[]) => void): void;
  send(message: unknown, callbacks?: undefined, buffers?: ArrayBuffer[]): void;
}

/** What `render` is called with; what it returns is called when the view goes away. */
export interface IRenderContext {
  model: IModel;
  el: HTMLElement;
}
