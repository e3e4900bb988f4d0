/** The time that the lab has, as far as an answer of it tells: people's machines are minutes wrong. */
export class LabClock {
  /** An answer says that a time is so far away. */
  learn(at: string, remainingSeconds: number): void {
    this._skew = Date.parse(at) - remainingSeconds * 1000 - Date.now();
  }

  /** Something has happened at this time, just now. */
  hear(at: string): void {
    this._skew = Date.parse(at) - Date.now();
  }

  /** The lab's time, ms since 1970. */
  now(): number {
    return Date.now() + this._skew;
  }

  /** Seconds until then, never less than none. */
  secondsUntil(at: string): number {
    return Math.max(0, (Date.parse(at) - this.now()) / 1000);
  }

  private _skew = 0;
}
