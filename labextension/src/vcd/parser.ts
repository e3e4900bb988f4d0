/** VCD files (IEEE 1364-2005, section 18), read piece by piece as they arrive. */

import type { ITrans } from '../views/trans';
import { DOLLAR, HASH, keyOf, number, ONE, shown, SPACE, text, ZERO } from './bytes';
import { Definitions, type IFound } from './definitions';
import { VcdError } from './error';

/** Commands that a file can begin with. */
const BEGINNINGS = /^\$(comment|date|version|timescale|scope|var|attrbegin|enddefinitions)$/;
const [BIG_B, B, BIG_R, R, BIG_S, S] = [66, 98, 82, 114, 83, 115];
/** Values of a scalar that nobody knows: `x`, `z`, and VHDL's `u w -`. */
const UNKNOWN = new Set(new TextEncoder().encode('xXzZuUwW-'));
/** VHDL's weak `h` and `l`. */
const [HIGH, LOW] = [new Set([72, 104, ONE]), new Set([76, 108, ZERO])];
/** Characters of the first word, and of any: with more it is something else, which needn't be read to its end. */
const [FIRST, LONGEST] = [100, 1 << 20];

export class VcdParser {
  constructor(private readonly _trans: ITrans) {
    this._definitions = new Definitions(_trans);
  }

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
    return this._definitions.found(this._now);
  }

  private _word(bytes: Uint8Array, start: number, stop: number): void {
    if (this._command !== null) {
      const word = text(bytes, start, stop);
      if (word === '$end') {
        this._done(this._command);
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

  private _done(command: string): void {
    if (command === '$enddefinitions') {
      this._defined = true;
      this._scale = this._definitions.scale;
    } else {
      this._definitions.take(command, this._words);
    }
    this._command = null;
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
    const { end } = this._definitions;
    const trace = this._definitions.traces.get(key);
    if (trace !== undefined && (end === null || this._now < end)) {
      if (32 * this._value.length < trace.width) {
        const wider = new Uint32Array(Math.ceil(trace.width / 32));
        wider.set(this._value);
        this._value = wider;
      }
      trace.add(this._now, this._value, known);
    }
  }

  private readonly _definitions: Definitions;
  /** The beginning of a word whose end hasn't come yet, and the bytes before it. */
  private _rest = new Uint8Array(0);
  private _before = 0;
  private _begun = false;
  private _defined = false;
  private _command: string | null = null;
  private _words: string[] = [];
  private _scale = 1;
  private _now = 0;
  private _value = new Uint32Array(2);
  private _isKnown = true;
  /** The next word is the code of the vector before it, or of a value that is left out. */
  private _isVector = false;
  private _isLeftOut = false;
}
