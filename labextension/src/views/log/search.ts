import type { Lines } from './lines';

/** Which lines have what is looked for, whatever its case; kept up while lines are added. */
export class Search {
  constructor(lines: Lines) {
    this._lines = lines;
  }

  /** What is looked for, in lower case; empty when nothing is. */
  get wanted(): string {
    return this._wanted;
  }

  /** Numbers of the lines that have it, ascending. */
  get found(): readonly number[] {
    return this._found;
  }

  /** Look for something else. */
  seek(wanted: string): void {
    this._wanted = wanted.toLowerCase();
    this._found = [];
    this._look(0);
  }

  /** Lines from `first` on are new, or have changed. */
  changed(first: number): void {
    while (this._found.length > 0 && this._found[this._found.length - 1] >= first) {
      this._found.pop();
    }
    this._look(first);
  }

  /** Place in {@link found} of the first line at or behind `line`; the first of all when there is none. */
  from(line: number): number {
    let low = 0;
    let high = this._found.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this._found[middle] < line) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low % Math.max(1, this._found.length);
  }

  private _look(first: number): void {
    if (this._wanted === '') {
      return;
    }
    for (let index = first; index < this._lines.length; index += 1) {
      if (this._lines.text(index).toLowerCase().includes(this._wanted)) {
        this._found.push(index);
      }
    }
  }

  private readonly _lines: Lines;
  private _wanted = '';
  private _found: number[] = [];
}
