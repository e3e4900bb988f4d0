/** One signal over time, in typed arrays: a million changes are some megabytes, and found by bisection. */

/** Values one behind the other, `stride` words each, the least significant first. */
export type Words = Uint8Array | Uint16Array | Uint32Array;

/** Names of values; the keys are hexadecimal, as `Signal.hex` gives them. */
export type Names = ReadonlyMap<string, string>;

/** Bits of a signal that have a name of their own: a field of a struct. */
export interface IPart {
  name: string;
  lsb: number;
  width: number;
  names: Names | null;
}

/** Words of the size that values of a width need, for so many of them. */
export function wordsFor(width: number, count: number): Words {
  if (width <= 8) {
    return new Uint8Array(count);
  }
  return width <= 16 ? new Uint16Array(count) : new Uint32Array(count * Math.ceil(width / 32));
}

/** The first index whose time is after `time`; the number of times if there is none. */
export function after(times: Float64Array, time: number, from = 0): number {
  let low = from;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** A signal has its value `i` from `times[i]` on, until `times[i + 1]`. */
export class Signal {
  /**
   * @param name - with dots between the levels of the hierarchy.
   * @param width - bits.
   * @param times - ticks, ascending.
   * @param words - the values' words.
   * @param unknown - a bit for each value, the lowest first: nobody knows it (`x` or `z`); `null` if all are known.
   */
  constructor(
    readonly name: string,
    readonly width: number,
    readonly times: Float64Array,
    readonly words: Words,
    readonly unknown: Uint8Array | null = null,
    readonly names: Names | null = null,
    readonly parts: readonly IPart[] = []
  ) {
    this.stride = Math.max(1, Math.ceil(width / 32));
  }

  /** Words of a value. */
  readonly stride: number;

  /** Whether it is drawn as a level. */
  get isBit(): boolean {
    return this.width === 1 && this.names === null;
  }

  /** Which value it has at a time; -1 before the first. */
  indexAt(time: number): number {
    return after(this.times, time) - 1;
  }

  isKnown(index: number): boolean {
    return this.unknown === null || (this.unknown[index >> 3] & (1 << (index & 7))) === 0;
  }

  /** A value as an unsigned number of any size. */
  value(index: number): bigint {
    let value = 0n;
    for (let word = this.stride - 1; word >= 0; word--) {
      value = (value << 32n) | BigInt(this.words[index * this.stride + word]);
    }
    return value;
  }

  /** A value in hexadecimal, without leading zeros. */
  hex(index: number): string {
    return this.stride === 1 ? this.words[index].toString(16) : this.value(index).toString(16);
  }

  /** The next index from `from` in a direction whose value is known and equal; -1 if there is none. */
  indexOf(value: bigint, from: number, direction: 1 | -1): number {
    const low = Number(value & 0xffffffffn);
    for (let index = from; index >= 0 && index < this.times.length; index += direction) {
      if (this.words[index * this.stride] === low && this.isKnown(index) && this.value(index) === value) {
        return index;
      }
    }
    return -1;
  }

  /** Some of its bits as a signal of its own, which changes only where they do. */
  bits(part: IPart): Signal {
    const count = this.times.length;
    const times = new Float64Array(count);
    const words = wordsFor(part.width, count);
    const unknown = new Uint8Array((count >> 3) + 1);
    const stride = Math.max(1, Math.ceil(part.width / 32));
    let found = 0;
    let wasKnown = true;
    for (let index = 0; index < count; index++) {
      const known = this.isKnown(index);
      let changed = found === 0 || known !== wasKnown;
      for (let word = 0; word < stride; word++) {
        const bits = known ? this._bits(index, part.lsb + 32 * word, part.width - 32 * word) : 0;
        changed ||= words[(found - 1) * stride + word] !== bits;
        words[found * stride + word] = bits;
      }
      if (changed) {
        times[found] = this.times[index];
        unknown[found >> 3] |= known ? 0 : 1 << (found & 7);
        found += 1;
        wasKnown = known;
      }
    }
    const name = `${this.name}.${part.name}`;
    return new Signal(name, part.width, times.slice(0, found), words.slice(0, found * stride), unknown, part.names);
  }

  /** Up to 32 bits of a value, from a bit on. */
  private _bits(index: number, lsb: number, width: number): number {
    const at = index * this.stride + (lsb >> 5);
    const shift = lsb & 31;
    let bits = this.words[at] >>> shift;
    if (shift > 0 && (lsb >> 5) + 1 < this.stride) {
      bits |= this.words[at + 1] << (32 - shift);
    }
    return width < 32 ? bits & ((1 << width) - 1) : bits >>> 0;
  }
}

/** Signals over the same time. */
export interface IWaveform {
  /** The tick after the last one; ticks are counted from 0. */
  end: number;
  /** Of a tick. */
  seconds: number;
  /** What a tick is called: `cycle`, or a unit of time such as `ps`. */
  unit: string;
  trigger: number | null;
  signals: readonly Signal[];
}
