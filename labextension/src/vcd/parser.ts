/** VCD files (IEEE 1364-2005, section 18), read piece by piece as they arrive. */

import type { ITrans } from '../views/trans';
import type { IWaveform, Signal } from '../views/waveform/signal';
import { Trace } from './trace';

/** It is no VCD file, or a broken one; the message is a sentence for a person. */
export class VcdError extends Error {}

/** What was in a file. */
export interface IFound {
  waveform: IWaveform;
  /** What was left out, in sentences. */
  notes: string[];
}

/** Commands that a file can begin with. */
const BEGINNINGS = /^\$(comment|date|version|timescale|scope|var|attrbegin|enddefinitions)$/;
/** Variables whose values aren't bits. */
const NO_BITS = new Set(['real', 'realtime', 'shortreal', 'real_parameter', 'string']);
const SECONDS: Readonly<Partial<Record<string, number>>> = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9, ps: 1e-12, fs: 1e-15 };
/** Begins the comment in which our own files say what VCD has no word for. */
const OURS = 'jupyter_fpga';
/** Where our own files have signals whose name has no level above it. */
const SCOPE = 'design.';

const [SPACE, DOLLAR, HASH, ZERO, ONE] = [32, 36, 35, 48, 49];
const [BIG_B, B, BIG_R, R, BIG_S, S] = [66, 98, 82, 114, 83, 115];
/** Values of a scalar that nobody knows: `x`, `z`, and VHDL's `u w -`. */
const UNKNOWN = new Set(new TextEncoder().encode('xXzZuUwW-'));
/** VHDL's weak `h` and `l`. */
const [HIGH, LOW] = [new Set([72, 104, ONE]), new Set([76, 108, ZERO])];
/** Characters of the first word, and of any: with more it is something else, which needn't be read to its end. */
const [FIRST, LONGEST] = [100, 1 << 20];
/** Digits of a code that fit into a number. */
const SHORT = 7;

export class VcdParser {
  constructor(private readonly _trans: ITrans) {}

  /**
   * Take the next bytes of the file.
   *
   * @throws VcdError
   */
  feed(bytes: Uint8Array): void {
    let piece = bytes;
    if (this._rest.length > 0) {
      piece = new Uint8Array(this._rest.length + bytes.length);
      piece.set(this._rest);
      piece.set(bytes, this._rest.length);
    }
    let at = 0;
    for (;;) {
      while (at < piece.length && piece[at] <= SPACE) {
        at++;
      }
      const start = at;
      while (at < piece.length && piece[at] > SPACE) {
        at++;
      }
      if (at === piece.length) {
        if (at - start > LONGEST || (!this._begun && at - start > FIRST)) {
          this._word(piece, start, at);
          throw new VcdError(this._trans.__('The VCD file has a word that never ends (at byte %1).', this._before + start));
        }
        // The word may go on in the next piece.
        this._rest = piece.slice(start);
        this._before += start;
        return;
      }
      this._word(piece, start, at);
    }
  }

  /**
   * The file has no more bytes.
   *
   * @throws VcdError
   */
  finish(): IFound {
    if (this._rest.length > 0) {
      this.feed(Uint8Array.of(SPACE));
    }
    if (!this._begun) {
      throw new VcdError(this._trans.__('This is not a VCD file: it is empty.'));
    }
    if (!this._defined) {
      throw new VcdError(this._trans.__('The VCD file ends within its definitions, before $enddefinitions.'));
    }
    const end = this._end ?? this._now + 1;
    const signals = this._variables.map(({ name, trace }): Signal => trace.signal(name));
    const notes =
      this._leftOut === 0
        ? []
        : [this._trans.__('Signals whose values are real numbers or texts are not shown: %1.', this._leftOut)];
    return { waveform: { end, seconds: this._seconds, unit: this._unit, trigger: this._trigger, signals }, notes };
  }

  private _word(bytes: Uint8Array, start: number, stop: number): void {
    if (this._command !== null) {
      const word = text(bytes, start, stop);
      if (word === '$end') {
        this._done(this._command, this._words);
        this._command = null;
      } else {
        this._words.push(word);
      }
    } else if (bytes[start] === DOLLAR && !this._isVector && !this._isLeftOut) {
      // Behind a vector is a code, which may begin with any character.
      this._begin(text(bytes, start, stop), start);
    } else if (this._defined) {
      this._change(bytes, start, stop);
    } else {
      this._refuse(text(bytes, start, stop), start);
    }
  }

  private _refuse(word: string, start: number): never {
    const seen = shown(word);
    throw new VcdError(
      this._begun
        ? this._trans.__('The VCD file has “%1” between its definitions (at byte %2).', seen, this._before + start)
        : this._trans.__(
            'This is not a VCD file: it begins with “%1”, not with a keyword such as $date or $timescale.',
            seen
          )
    );
  }

  private _begin(word: string, start: number): void {
    if (!this._begun && !BEGINNINGS.test(word)) {
      this._refuse(word, start);
    }
    this._begun = true;
    // Sections of values, such as $dumpvars, aren't commands with words: what is in them are changes.
    if (!this._defined || word === '$comment') {
      this._command = word;
      this._words = [];
    }
  }

  private _done(command: string, words: string[]): void {
    switch (command) {
      case '$scope':
        // LiteScope leaves the scope's type out, and misspells its end.
        this._scopes.push(words[words.length - 1] ?? '');
        break;
      case '$upscope':
      case '$unscope':
        this._scopes.pop();
        break;
      case '$var':
        this._variable(words);
        break;
      case '$timescale':
        this._timescale(words.join(''));
        break;
      case '$comment':
        if (words[0] === OURS) {
          this._comment(new Map(words.slice(1).map(word => word.split('=', 2) as [string, string])));
        }
        break;
      case '$enddefinitions':
        this._defined = true;
        this._scale = this._fileSeconds / this._seconds;
        break;
    }
  }

  private _variable([type, size, code, ...reference]: string[]): void {
    if (NO_BITS.has(type)) {
      this._leftOut += 1;
      return;
    }
    const width = Number(size);
    if (!Number.isInteger(width) || width < 1 || reference.length === 0) {
      throw new VcdError(
        this._trans.__('The VCD file has a $var that cannot be read: “%1”.', [type, size, code, ...reference].join(' '))
      );
    }
    const bytes = new TextEncoder().encode(code);
    const key = keyOf(bytes, 0, bytes.length);
    let trace = this._traces.get(key);
    if (trace === undefined) {
      trace = new Trace(width);
      this._traces.set(key, trace);
    }
    // A range behind the name that says no more than the width is no part of it.
    const name = reference.join('').replace(`[${width - 1}:0]`, '').replace(/^\\/, '');
    const path = [...this._scopes, name].join('.');
    const lone = this._end !== null && path.startsWith(SCOPE);
    this._variables.push({ name: lone ? path.slice(SCOPE.length) : path, trace });
  }

  private _timescale(words: string): void {
    const match = /^(\d+)([munpf]?s)$/.exec(words);
    const unit = SECONDS[match?.[2] ?? ''];
    if (match === null || unit === undefined) {
      throw new VcdError(this._trans.__('The VCD file has a $timescale that cannot be read: “%1”.', words));
    }
    this._fileSeconds = Number(match[1]) * unit;
    if (this._end === null) {
      this._seconds = this._fileSeconds;
      this._unit = match[1] === '1' ? match[2] : `${match[1]} ${match[2]}`;
    }
  }

  /** What our own files say besides. */
  private _comment(facts: ReadonlyMap<string, string>): void {
    const [above, below] = (facts.get('tick') ?? '').split('/');
    const end = facts.get('end');
    if (above !== '' && end !== undefined) {
      this._seconds = Number(above) / Number(below || 1);
      this._unit = facts.get('unit') ?? '';
      this._end = Number(end);
      const trigger = facts.get('trigger');
      this._trigger = trigger === undefined ? null : Number(trigger);
    }
  }

  private _change(bytes: Uint8Array, start: number, stop: number): void {
    const first = bytes[start];
    if (this._isVector) {
      this._isVector = false;
      this._add(keyOf(bytes, start, stop), this._isKnown);
    } else if (this._isLeftOut) {
      this._isLeftOut = false;
    } else if (first === HASH) {
      this._now = Math.max(this._now, Math.round(number(bytes, start + 1, stop) * this._scale));
    } else if (HIGH.has(first) || LOW.has(first) || UNKNOWN.has(first)) {
      this._value.fill(0);
      this._value[0] = HIGH.has(first) ? 1 : 0;
      this._add(keyOf(bytes, start + 1, stop), !UNKNOWN.has(first));
    } else if (first === B || first === BIG_B) {
      this._isVector = true;
      this._vector(bytes, start + 1, stop);
    } else if (first === R || first === BIG_R || first === S || first === BIG_S) {
      this._isLeftOut = true;
    } else {
      const word = shown(text(bytes, start, stop));
      throw new VcdError(
        this._trans.__('The VCD file has “%1” where a change of a value should be (at byte %2).', word, this._before + start)
      );
    }
  }

  /** Digits that aren't there are zeros on the left; where the leftmost is an `x`, so is the value. */
  private _vector(bytes: Uint8Array, start: number, stop: number): void {
    const count = stop - start;
    if (count > 32 * this._value.length) {
      this._value = new Uint32Array(Math.ceil(count / 32));
    }
    this._value.fill(0);
    this._isKnown = true;
    for (let place = 0; place < count; place++) {
      const digit = bytes[stop - 1 - place];
      if (digit === ONE || HIGH.has(digit)) {
        this._value[place >> 5] |= 1 << (place & 31);
      } else if (digit !== ZERO && !LOW.has(digit)) {
        this._isKnown = false;
      }
    }
  }

  private _add(key: number | string, known: boolean): void {
    // What isn't known by its code was left out.
    const trace = this._traces.get(key);
    if (trace !== undefined && (this._end === null || this._now < this._end)) {
      if (32 * this._value.length < trace.width) {
        const wider = new Uint32Array(Math.ceil(trace.width / 32));
        wider.set(this._value);
        this._value = wider;
      }
      trace.add(this._now, this._value, known);
    }
  }

  /** The beginning of a word whose end hasn't come yet, and the bytes before it. */
  private _rest = new Uint8Array(0);
  private _before = 0;
  private _begun = false;
  private _defined = false;
  private _command: string | null = null;
  private _words: string[] = [];
  private readonly _scopes: string[] = [];
  private readonly _variables: { name: string; trace: Trace }[] = [];
  private readonly _traces = new Map<number | string, Trace>();
  private _leftOut = 0;
  /** The file's own tick, and the waveform's. */
  private _fileSeconds = 1e-9;
  private _seconds = 1e-9;
  private _unit = 'ns';
  private _scale = 1;
  private _end: number | null = null;
  private _trigger: number | null = null;
  private _now = 0;
  private _value = new Uint32Array(2);
  private _isKnown = true;
  /** The next word is the code of the vector before it, or of a value that is left out. */
  private _isVector = false;
  private _isLeftOut = false;
}

function text(bytes: Uint8Array, start: number, stop: number): string {
  return new TextDecoder().decode(bytes.subarray(start, stop));
}

/** As much of a word as a sentence can carry: it may come from any file, of any size. */
function shown(word: string): string {
  return word.slice(0, 20).replace(/[^ -~]/g, '?');
}

function number(bytes: Uint8Array, start: number, stop: number): number {
  let value = 0;
  for (let at = start; at < stop; at++) {
    value = 10 * value + bytes[at] - ZERO;
  }
  return value;
}

/** A code as the key of a map: a number is found much faster than a text. */
function keyOf(bytes: Uint8Array, start: number, stop: number): number | string {
  if (stop - start > SHORT) {
    return text(bytes, start, stop);
  }
  let key = 0;
  for (let at = start; at < stop; at++) {
    key = key * 95 + bytes[at] - SPACE;
  }
  return key;
}
