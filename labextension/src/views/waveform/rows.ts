/** What there is to be seen from top to bottom: the hierarchy's levels, signals, and their fields, which fold. */

import type { IPart, IWaveform, Signal } from './signal';

/** So many signals are unfolded when they are first shown; of more, only the upper levels. */
const MOST_OPEN = 100;

/** A line of the view. */
export class Row {
  constructor(
    readonly label: string,
    readonly depth: number,
    private readonly _source: Signal | { of: Signal; part: IPart } | null
  ) {}

  open = false;
  readonly children: Row[] = [];
  parent: Row | null = null;
  /** Among its parent's children, from 1. */
  position = 1;

  /** What is drawn in it; `null` for a level of the hierarchy. Fields are taken out of their signal when first seen. */
  get signal(): Signal | null {
    if (this._source === null || !('part' in this._source)) {
      return this._source;
    }
    this._field ??= this._source.of.bits(this._source.part);
    return this._field;
  }

  get isGroup(): boolean {
    return this._source === null;
  }

  add(row: Row): Row {
    row.parent = this;
    row.position = this.children.push(row);
    return row;
  }

  private _field: Signal | null = null;
}

/** The rows of a waveform, below a root that isn't shown. */
export function tree(waveform: IWaveform): Row {
  const root = new Row('', -1, null);
  const groups = new Map<string, Row>([['', root]]);
  const unfold = waveform.signals.length <= MOST_OPEN;

  const group = (path: readonly string[]): Row => {
    const key = path.join('.');
    let found = groups.get(key);
    if (found === undefined) {
      found = group(path.slice(0, -1)).add(new Row(path[path.length - 1], path.length - 1, null));
      found.open = unfold || path.length === 1;
      groups.set(key, found);
    }
    return found;
  };

  for (const signal of waveform.signals) {
    const path = signal.name.split('.');
    const label = path.pop() ?? '';
    const row = group(path).add(new Row(label, path.length, signal));
    for (const part of signal.parts) {
      row.add(new Row(part.name, path.length + 1, { of: signal, part }));
    }
  }
  return root;
}

/** The rows that are unfolded, from top to bottom. */
export function unfolded(root: Row): Row[] {
  const rows: Row[] = [];
  const walk = (row: Row): void => {
    rows.push(row);
    if (row.open) {
      row.children.forEach(walk);
    }
  };
  root.children.forEach(walk);
  return rows;
}
