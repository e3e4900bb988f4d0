/** The time that the lab has, as far as an answer of it tells: people's machines are minutes wrong. */
export class LabClock {
  /** An answer says that a time is so far away. */
  learn(at: string, remainingSeconds: number): void {
    this._skew = Date.parse(at) - remainingSeconds * 1000 - Date.now();
  }

  /** Seconds until then, never less than none. */
  secondsUntil(at: string): number {
    return Math.max(0, (Date.parse(at) - Date.now() - this._skew) / 1000);
  }

  private _skew = 0;
}
