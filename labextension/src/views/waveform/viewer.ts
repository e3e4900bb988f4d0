/** What a person can do with a waveform, without anything of a page: what is seen, cursors, searches, folds. */

import type { ITrans } from '../trans';
import { parseValue, RADIXES, valueText, type Radix } from './radix';
import { tree, unfolded, type Row } from './rows';
import { frequencyText, TimeScale, timeText } from './scale';
import type { IWaveform } from './signal';

/** Of what is seen, panned by a key. */
const PAN = 0.25;

/** The cursors' names. */
export const CURSORS = ['A', 'B'] as const;

export class Viewer {
  /** @param onChange - called when anything has to be drawn anew. */
  constructor(
    readonly waveform: IWaveform,
    private readonly _trans: ITrans,
    private readonly _onChange: () => void
  ) {
    this.scale = new TimeScale(waveform.end);
    this._root = tree(waveform);
    this.rows = unfolded(this._root);
    this.selected = Math.max(
      this.rows.findIndex(row => row.signal !== null),
      0
    );
  }

  readonly scale: TimeScale;
  rows: Row[];
  /** Which row. */
  selected: number;
  /** Times; `null` where a cursor isn't placed. */
  readonly cursors: [number | null, number | null] = [null, null];
  /** The cursor that moves. */
  active: 0 | 1 = 0;
  /** What is about to be zoomed to. */
  range: [number, number] | null = null;
  /** What a search has to say. */
  notice = '';

  /** The time whose values are shown: the active cursor's, else the beginning. */
  get now(): number {
    return this.cursors[this.active] ?? 0;
  }

  get row(): Row | undefined {
    return this.rows[this.selected];
  }

  // --- Time

  resize(width: number): void {
    this.scale.resize(width);
    this._onChange();
  }

  /** About a place on the screen, or the active cursor when it is in view, or the middle. */
  zoom(factor: number, x?: number): void {
    const cursor = this.cursors[this.active];
    const at = cursor === null ? -1 : this.scale.x(cursor);
    this.scale.zoom(x ?? (at >= 0 && at <= this.scale.width ? at : this.scale.width / 2), factor);
    this._onChange();
  }

  pan(pixels: number): void {
    this.scale.pan(pixels);
    this._onChange();
  }

  /** By a quarter of what is seen. */
  page(direction: 1 | -1): void {
    this.pan(direction * PAN * this.scale.width);
  }

  fit(): void {
    this.scale.fit();
    this._onChange();
  }

  show(from: number, to: number): void {
    this.scale.show(from, to);
    this._onChange();
  }

  /** What is between the cursors, or from the one to the end. */
  showBetween(): void {
    const [a, b] = this.cursors;
    if (a !== null || b !== null) {
      const [from, to] = [a ?? 0, b ?? this.waveform.end].sort((one, other) => one - other);
      this.show(from, to);
    }
  }

  select(from: number, to: number): void {
    this.range = [from, to];
    this._onChange();
  }

  /** Zoom to what is selected. */
  take(): void {
    if (this.range !== null) {
      const [from, to] = this.range;
      this.range = null;
      this.show(Math.min(from, to), Math.max(from, to));
    }
  }

  // --- Cursors

  /** Place a cursor at a tick, and make it the one that moves. */
  place(time: number, which: 0 | 1 = this.active): void {
    this.active = which;
    this.cursors[which] = Math.min(Math.max(Math.round(time), 0), Math.max(this.waveform.end - 1, 0));
    this.notice = '';
    this._onChange();
  }

  /** As `place`, and bring it into view. */
  go(time: number): void {
    this.place(time);
    this.scale.reveal(this.now);
  }

  /** Let a cursor be the one that moves; one that isn't placed appears in the middle of what is seen. */
  activate(which: 0 | 1): void {
    this.place(this.cursors[which] ?? Math.floor((this.scale.start + this.scale.stop) / 2), which);
  }

  /** By a tick, or by a pixel where that is more. */
  step(direction: 1 | -1): void {
    if (this.cursors[this.active] === null) {
      this.activate(this.active);
    } else {
      this.go(this.now + direction * Math.max(1, Math.round(this.scale.perPixel)));
    }
  }

  clear(): void {
    this.cursors.fill(null);
    this.notice = '';
    this.range = null;
    this._onChange();
  }

  trigger(): void {
    if (this.waveform.trigger !== null) {
      this.go(this.waveform.trigger);
    }
  }

  // --- Searches

  /** To the next change of the selected signal. */
  edge(direction: 1 | -1): void {
    const signal = this.row?.signal;
    if (!signal) {
      this._say(this._trans.__('No signal is selected.'));
      return;
    }
    const here = signal.indexAt(this.now);
    const next = direction === 1 ? here + 1 : signal.times[here] < this.now ? here : here - 1;
    if (next < 0 || next >= signal.times.length) {
      const name = signal.name;
      this._say(
        direction === 1
          ? this._trans.__('%1 does not change any more.', name)
          : this._trans.__('%1 does not change before.', name)
      );
      return;
    }
    this.go(signal.times[next]);
  }

  /** To the next time from which on the selected signal has a value. */
  find(text: string, direction: 1 | -1): void {
    const signal = this.row?.signal;
    if (this.row === undefined || !signal) {
      this._say(this._trans.__('No signal is selected.'));
      return;
    }
    const value = parseValue(text, signal, this.radixOf(this.row));
    if (value === null) {
      this._say(this._trans.__('“%1” is no value of %2.', text, signal.name));
      return;
    }
    const here = signal.indexAt(this.now);
    const placed = this.cursors[this.active] !== null;
    const from = direction === 1 ? (placed ? here + 1 : 0) : signal.times[here] < this.now ? here : here - 1;
    const found = signal.indexOf(value, from, direction);
    if (found < 0) {
      this._say(this._trans.__('%1 is not %2 any more in this direction.', signal.name, text.trim()));
      return;
    }
    this.go(signal.times[found]);
  }

  // --- Rows

  choose(index: number): void {
    this.selected = Math.min(Math.max(index, 0), this.rows.length - 1);
    this._onChange();
  }

  /** Fold or unfold the selected row. */
  fold(open: boolean): void {
    const row = this.row;
    if (row !== undefined && row.children.length > 0 && row.open !== open) {
      row.open = open;
      this.rows = unfolded(this._root);
      this._onChange();
    }
  }

  toggle(): void {
    this.fold(!(this.row?.open ?? true));
  }

  /** To the row that the selected one is folded into. */
  up(): void {
    const parent = this.row?.parent;
    if (parent && parent.depth >= 0) {
      this.choose(this.rows.indexOf(parent));
    }
  }

  radixOf(row: Row): Radix {
    return this._radix.get(row) ?? 'name';
  }

  setRadix(radix: Radix): void {
    if (this.row !== undefined) {
      this._radix.set(this.row, radix);
      this._onChange();
    }
  }

  nextRadix(): void {
    if (this.row !== undefined) {
      this.setRadix(RADIXES[(RADIXES.indexOf(this.radixOf(this.row)) + 1) % RADIXES.length]);
    }
  }

  // --- As text

  /** A row's value where the active cursor is. */
  valueOf(row: Row): string {
    return row.signal === null ? '' : valueText(row.signal, row.signal.indexAt(this.now), this.radixOf(row));
  }

  /** Where the cursors are and what they tell. */
  get summary(): string {
    const parts = this.cursors.flatMap((time, which) =>
      time === null ? [] : [`${CURSORS[which]}: ${this._at(time)}`]
    );
    const [a, b] = this.cursors;
    if (a !== null && b !== null) {
      const ticks = b - a;
      const seconds = Math.abs(ticks) * this.waveform.seconds;
      const far = ticks === 0 ? '' : `, ${timeText(seconds, 6)}, ${frequencyText(seconds)}`;
      parts.push(`B − A: ${this._ticks(ticks)}${far}`);
    }
    const signal = this.row?.signal;
    if (this.row !== undefined && signal && parts.length > 0) {
      parts.unshift(this._trans.__('%1 = %2 at %3', signal.name, this.valueOf(this.row), CURSORS[this.active]));
    }
    return [...(this.notice === '' ? [] : [this.notice]), ...parts].join('  ·  ');
  }

  private _at(time: number): string {
    return `${this._ticks(time)} (${timeText(time * this.waveform.seconds, 6)})`;
  }

  private _ticks(count: number): string {
    const { unit } = this.waveform;
    if (unit === 'cycle') {
      return this._trans._n('%2 cycle', '%2 cycles', Math.abs(count), count);
    }
    return /^\d/.test(unit) ? `${count} × ${unit}` : `${count} ${unit}`;
  }

  private _say(sentence: string): void {
    this.notice = sentence;
    this._onChange();
  }

  private readonly _root: Row;
  private readonly _radix = new Map<Row, Radix>();
}
