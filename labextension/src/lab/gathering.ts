/**
 * Asks again for what has changed: at once for the first of many changes, and once for all that come meanwhile.
 *
 * @typeParam T - names of what changes.
 */
export class Gathering<T> {
  /**
   * @param ask - asks for these; whatever it throws goes to `failed`.
   */
  constructor(
    private readonly ask: (changed: ReadonlySet<T>) => Promise<void>,
    private readonly failed: (error: unknown) => void
  ) {}

  /** These have changed. */
  add(...changed: T[]): void {
    for (const each of changed) {
      this._changed.add(each);
    }
    this._running ??= this._run().finally(() => {
      this._running = null;
    });
  }

  /** Until nothing is left to ask for. */
  async done(): Promise<void> {
    await this._running;
  }

  private async _run(): Promise<void> {
    while (this._changed.size > 0) {
      const changed = this._changed;
      this._changed = new Set();
      try {
        await this.ask(changed);
      } catch (error) {
        this.failed(error);
      }
    }
  }

  private _changed = new Set<T>();
  private _running: Promise<void> | null = null;
}
