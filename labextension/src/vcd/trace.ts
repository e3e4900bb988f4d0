/** A signal that grows while its file is read. */

import { Signal, wordsFor, type Words } from '../views/waveform/signal';

/** Changes that there is room for at first; doubled whenever they are used up. */
const FIRST = 16;

export class Trace {
  /** Nobody knows its value before the file tells it. */
  constructor(readonly width: number) {
    this._stride = Math.max(1, Math.ceil(width / 32));
    this._words = wordsFor(width, FIRST);
    this._unknown[0] = 1;
    // Of the uppermost word.
    const bits = width % 32;
    this._mask = bits === 0 ? 0xffffffff : 2 ** bits - 1;
  }

  /** The time of the last change. */
  get last(): number {
    return this._times[this._count - 1];
  }

  /**
   * Take a value; of several at one time the last counts, and one that is like the one before is no change.
   *
   * @param value - its words, the least significant first; what is beyond the width is left out.
   * @param known - false where it has an `x` or a `z`.
   */
  add(time: number, value: Uint32Array, known: boolean): void {
    const index = time > this.last ? this._count : this._count - 1;
    if (index === this._times.length) {
      this._grow();
    }
    const at = index * this._stride;
    for (let word = 0; word < this._stride; word++) {
      const top = word === this._stride - 1;
      this._words[at + word] = known ? (top ? value[word] & this._mask : value[word]) : 0;
    }
    const bit = 1 << (index & 7);
    this._unknown[index >> 3] = (this._unknown[index >> 3] & ~bit) | (known ? 0 : bit);
    this._times[index] = time > this.last ? time : this.last;
    this._count = index + 1 - (index > 0 && this._same(index) ? 1 : 0);
  }

  /** What it has become. */
  signal(name: string): Signal {
    // Views of what there is: a copy of a large file's changes would keep the page.
    const unknown = this._unknown.subarray(0, (this._count >> 3) + 1);
    return new Signal(
      name,
      this.width,
      this._times.subarray(0, this._count),
      this._words.subarray(0, this._count * this._stride),
      unknown.some(bits => bits !== 0) ? unknown : null
    );
  }

  /** Whether a value is as the one before. */
  private _same(index: number): boolean {
    for (let at = index * this._stride; at < (index + 1) * this._stride; at++) {
      if (this._words[at] !== this._words[at - this._stride]) {
        return false;
      }
    }
    return this._isUnknown(index) === this._isUnknown(index - 1);
  }

  private _isUnknown(index: number): boolean {
    return (this._unknown[index >> 3] & (1 << (index & 7))) !== 0;
  }

  private _grow(): void {
    const count = 2 * this._times.length;
    const [times, words, unknown] = [
      new Float64Array(count),
      wordsFor(this.width, count),
      new Uint8Array((count >> 3) + 1)
    ];
    times.set(this._times);
    words.set(this._words);
    unknown.set(this._unknown);
    [this._times, this._words, this._unknown] = [times, words, unknown];
  }

  private readonly _stride: number;
  private readonly _mask: number;
  private _count = 1;
  private _times = new Float64Array(FIRST);
  private _words: Words;
  private _unknown = new Uint8Array((FIRST >> 3) + 1);
}
