/** Where a tick is on the screen, and how times are written. */

/** Pixels of a tick at most: closer isn't anything to be seen. */
const MOST_PIXELS = 200;

/** Time in ticks from left to right in pixels. Never shows more than all there is. */
export class TimeScale {
  /** @param end - the tick after the last one. */
  constructor(end: number) {
    this.end = Math.max(end, 1);
    this.perPixel = this.end;
  }

  readonly end: number;
  /** The time at the left edge. */
  start = 0;
  /** Ticks of a pixel. */
  perPixel: number;
  /** Pixels. */
  width = 1;

  x(time: number): number {
    return (time - this.start) / this.perPixel;
  }

  time(x: number): number {
    return this.start + x * this.perPixel;
  }

  /** The time at the right edge. */
  get stop(): number {
    return this.time(this.width);
  }

  /** The screen has another width: a view of everything stays one, any other keeps its scale. */
  resize(width: number): void {
    const fitted = this.perPixel >= this.end / this.width;
    this.width = Math.max(width, 1);
    this._set(fitted ? this.end / this.width : this.perPixel, fitted ? 0 : this.start);
  }

  /** Show so many times as much time, and leave what is at `x` there. */
  zoom(x: number, factor: number): void {
    const time = this.time(x);
    const perPixel = this._allowed(this.perPixel * factor);
    this._set(perPixel, time - x * perPixel);
  }

  pan(pixels: number): void {
    this._set(this.perPixel, this.start + pixels * this.perPixel);
  }

  fit(): void {
    this.show(0, this.end);
  }

  /** Show what is between two times. */
  show(from: number, to: number): void {
    const perPixel = this._allowed(Math.abs(to - from) / this.width);
    // In the middle, when it is less than can be shown.
    this._set(perPixel, (from + to - perPixel * this.width) / 2);
  }

  /** Bring a time into view, in the middle when it isn't there already. */
  reveal(time: number): void {
    if (time < this.start || time > this.stop) {
      this._set(this.perPixel, time - (this.width * this.perPixel) / 2);
    }
  }

  private _allowed(perPixel: number): number {
    const most = this.end / this.width;
    return Math.min(Math.max(perPixel, Math.min(most, 1 / MOST_PIXELS)), most);
  }

  private _set(perPixel: number, start: number): void {
    this.perPixel = this._allowed(perPixel);
    this.start = Math.min(Math.max(start, 0), Math.max(0, this.end - this.width * this.perPixel));
  }
}

const UNITS: readonly (readonly [number, string])[] = [
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
  [1e-12, 'ps'],
  [1e-15, 'fs']
];

function unitOf(seconds: number): readonly [number, string] {
  // 1 µs is 0.999 999 999 999 9 of it when it was counted in picoseconds.
  return UNITS.find(([factor]) => Math.abs(seconds) >= factor * 0.9999999) ?? UNITS[UNITS.length - 1];
}

/** `83.33 ns`. */
export function timeText(seconds: number, digits = 4): string {
  if (seconds === 0) {
    return '0 s';
  }
  const [factor, unit] = unitOf(seconds);
  return `${Number((seconds / factor).toPrecision(digits))} ${unit}`;
}

/** `12 MHz`, of something that takes so many seconds. */
export function frequencyText(seconds: number): string {
  const hertz = 1 / seconds;
  const [factor, unit] = [
    [1e9, 'GHz'] as const,
    [1e6, 'MHz'] as const,
    [1e3, 'kHz'] as const
  ].find(([least]) => hertz >= least * 0.9999999) ?? [1, 'Hz'];
  return `${Number((hertz / factor).toPrecision(4))} ${unit}`;
}

/** A mark on the ruler. */
export interface IMark {
  time: number;
  text: string;
}

/**
 * Marks at round times, so far apart that their texts have room.
 *
 * @param seconds - of a tick; `null` when ticks themselves are to be counted.
 * @param room - pixels between two of them at least.
 */
export function marks(scale: TimeScale, seconds: number | null, room: number): IMark[] {
  const one = seconds ?? 1;
  const least = Math.max(room * scale.perPixel * one, seconds === null ? 1 : 0);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find(factor => factor * power >= least * 0.9999999) ?? 10);
  const found: IMark[] = [];
  const [factor, unit] = seconds === null ? [1, ''] : unitOf(Math.min(scale.stop, scale.end) * one);
  const decimals = Math.max(0, Math.ceil(-Math.log10(step / factor) - 1e-9));
  for (let number = Math.ceil((scale.start * one) / step - 1e-9); number * step <= scale.stop * one; number++) {
    found.push({ time: (number * step) / one, text: `${((number * step) / factor).toFixed(decimals)} ${unit}`.trim() });
  }
  return found;
}
