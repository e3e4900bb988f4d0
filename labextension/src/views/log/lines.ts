import { PLAIN, piecesOf, textOf, type ILook, type IPiece } from './ansi';

/** A log's text as lines, in memory: it may come in pieces that end anywhere, and grow to hundreds of thousands. */
export class Lines {
  /** How many lines there are; one that has begun counts. */
  get length(): number {
    return this._lines.length;
  }

  /** Characters of the longest line, looks included. */
  get widest(): number {
    return this._widest;
  }

  /** Add text; returns the first line that is new, or longer than it was. */
  append(text: string): number {
    const first = this._lines.length - (this._rest === '' ? 0 : 1);
    const parts = text.split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      this._add(part, true);
    }
    if (last !== '') {
      this._add(last, false);
    }
    return first;
  }

  clear(): void {
    this._lines = [];
    this._looks = [PLAIN];
    this._rest = '';
    this._widest = 0;
  }

  /** The line's text without what makes it look. */
  text(index: number): string {
    return textOf(this._lines[index]);
  }

  /** The line in pieces of one look each. */
  pieces(index: number): IPiece[] {
    return piecesOf(this._lines[index], this._looks[index]).pieces;
  }

  /** All of it, without what makes it look. */
  all(): string {
    return this._lines.map(line => `${textOf(line)}\n`).join('');
  }

  private _add(part: string, complete: boolean): void {
    const index = this._lines.length - (this._rest === '' ? 0 : 1);
    const whole = this._rest + part;
    this._rest = complete ? '' : whole;
    // A tool that draws its progress goes back to the line's beginning: what counts is what it wrote last.
    const kept = whole.replace(/\r+$/, '');
    this._lines[index] = kept.slice(kept.lastIndexOf('\r') + 1);
    this._looks[index + 1] = piecesOf(whole, this._looks[index]).after;
    this._widest = Math.max(this._widest, this._lines[index].length);
  }

  private _lines: string[] = [];
  // Of each line, the look that it begins in; of plain lines it is one object.
  private _looks: ILook[] = [PLAIN];
  /** What came of a line that isn't complete, as it came. */
  private _rest = '';
  private _widest = 0;
}
