/**
 * Asks again for what has changed: at once for the first of many changes, and once for all that come meanwhile.
 *
 * @typeParam T - names of what changes.
 */
export class Gathering<T> {
  /**
   * @param ask - asks for these; whatever it throws goes to `failed`.
   * @param pace - from an answer to the next question at least, ms.
   */
  constructor(
    private readonly ask: (changed: ReadonlySet<T>) => Promise<void>,
    private readonly failed: (error: unknown) => void,
    private readonly pace = 0
  ) {}

  /** These have changed. */
  add(...changed: T[]): void {
    for (const each of changed) {
      this._changed.add(each);
    }
    if (!this._asking) {
      void this._run();
    }
  }

  /** Ask nothing more. */
  close(): void {
    this._closed = true;
  }

  private async _run(): Promise<void> {
    this._asking = true;
    while (this._changed.size > 0 && !this._closed) {
      const changed = this._changed;
      this._changed = new Set();
      try {
        await this.ask(changed);
      } catch (error) {
        this.failed(error);
      }
      if (this.pace > 0) {
        await new Promise(resolve => setTimeout(resolve, this.pace));
      }
    }
    this._asking = false;
  }

  private _changed = new Set<T>();
  private _asking = false;
  private _closed = false;
}
