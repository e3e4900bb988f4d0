import { plainTrans, type ITrans } from '../trans';
import { Bar } from './bar';
import { lineElement } from './line';
import { Lines } from './lines';
import { Search } from './search';
import { STYLE } from './style';

/** Lines above and below the seen ones that are there as well, so that scrolling shows no gaps. */
const SPARE = 30;
/** Of a line, until one is there to be measured, px. */
const USUAL_HEIGHT = 18;

/** What can be set from the beginning. */
export interface ILogOptions {
  trans?: ITrans;
  /** What the log is of, for those who hear the page: `Log of job …`. */
  label?: string;
}

/**
 * A log: colours, search, and its end in sight while it grows. Only the lines that are seen are elements, so that a
 * hundred thousand of them are as quick as ten.
 *
 * It takes the height that it is given; show {@link node} somewhere, and {@link dispose} of the view afterwards.
 */
export class LogView {
  constructor({ trans = plainTrans, label }: ILogOptions = {}) {
    this._bar = new Bar(trans, {
      onSearch: wanted => {
        this.find(wanted);
      },
      onStep: by => {
        this.step(by);
      },
      onFollow: () => {
        this.setFollow(!this._follow);
      },
      onCopy: () => {
        // Not there in a page that came over plain HTTP from another machine.
        void (navigator.clipboard as Clipboard | undefined)?.writeText(this.text);
      }
    });
    this._search = new Search(this._lines);
    this.node = document.createElement('div');
    this.node.className = 'jp-FpgaLog';
    const style = document.createElement('style');
    style.textContent = STYLE;
    this._all.className = 'jp-FpgaLog-all';
    this._seen.className = 'jp-FpgaLog-seen';
    this._all.append(this._seen);
    this._scroll.className = 'jp-FpgaLog-scroll';
    // Not announced line by line: a build writes hundreds in a second.
    this._scroll.setAttribute('role', 'log');
    this._scroll.setAttribute('aria-live', 'off');
    this._scroll.setAttribute('aria-label', label ?? trans.__('Log'));
    this._scroll.tabIndex = 0;
    this._scroll.append(this._all);
    this._scroll.addEventListener('scroll', () => {
      this._scrolled();
    });
    this.node.append(style, this._bar.node, this._scroll);
    this.node.addEventListener('keydown', event => {
      if (event.key.toLowerCase() === 'f' && (event.ctrlKey || event.metaKey)) {
        // Only here: the page's own search finds nothing in lines that aren't elements.
        event.preventDefault();
        event.stopPropagation();
        this._bar.focus();
      }
    });
    // The page's height, and its fonts, change at any time; not every place where tests run has this.
    this._resizes =
      typeof ResizeObserver === 'undefined'
        ? null
        : new ResizeObserver(() => {
            this._later();
          });
    this._resizes?.observe(this._scroll);
    this.setFollow(true);
  }

  /** What to show. */
  readonly node: HTMLDivElement;

  /** How many lines there are. */
  get length(): number {
    return this._lines.length;
  }

  /** Whether the log's end is kept in sight. */
  get follow(): boolean {
    return this._follow;
  }

  /** All of its text, without colours. */
  get text(): string {
    return this._lines.all();
  }

  /** Add text, which may be many lines, and may end within one. */
  append(text: string): void {
    const first = this._lines.append(text);
    this._search.changed(first);
    this._fresh = Math.min(this._fresh, first);
    this._later();
  }

  /** Begin anew. */
  clear(): void {
    this._lines.clear();
    this._search.seek(this._search.wanted);
    this._current = -1;
    this._fresh = 0;
    this._later();
  }

  /** Keep the log's end in sight, or stay where it is. Scrolling to the end turns it on, scrolling up off. */
  setFollow(on: boolean): void {
    this._follow = on;
    this._bar.follow = on;
    if (on) {
      this._later();
    }
  }

  /** Look for text, whatever its case, and go to where it is first. */
  find(wanted: string): void {
    this._bar.wanted = wanted;
    this._search.seek(wanted);
    this._current = -1;
    if (this._search.found.length > 0) {
      this._go(this._search.from(this._firstSeen()));
    }
    this._later();
  }

  /** Go to the next place of what is looked for (1), or to the one before (-1). */
  step(by: 1 | -1): void {
    const { length } = this._search.found;
    if (length > 0) {
      this._go((this._current + by + length) % length);
    }
  }

  /** Nothing is drawn any more. */
  dispose(): void {
    this._resizes?.disconnect();
    cancelAnimationFrame(this._frame);
  }

  private _scrolled(): void {
    const { scrollTop, clientHeight, scrollHeight } = this._scroll;
    const up = scrollTop < this._top;
    this._top = scrollTop;
    const atEnd = scrollTop + clientHeight >= scrollHeight - this._height;
    if (up && !atEnd && this._follow) {
      this.setFollow(false);
    } else if (atEnd && !up && !this._follow) {
      this.setFollow(true);
    }
    this._later();
  }

  private _go(place: number): void {
    this._current = place;
    this.setFollow(false);
    const middle = Math.max(0, (this._scroll.clientHeight - this._height) / 2);
    this._scroll.scrollTop = Math.max(0, this._search.found[place] * this._height - middle);
    this._top = this._scroll.scrollTop;
    this._later();
  }

  private _firstSeen(): number {
    return Math.floor(this._scroll.scrollTop / this._height);
  }

  /** Draw before the browser shows its next picture: once, however much has come. */
  private _later(): void {
    if (this._frame === 0) {
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this._draw();
      });
    }
  }

  private _draw(): void {
    const { length } = this._lines;
    this._all.style.height = `${length * this._height}px`;
    this._all.style.width = `calc(${this._lines.widest}ch + 16px)`;
    if (this._follow) {
      // As far as it goes.
      this._scroll.scrollTop = length * this._height;
      this._top = this._scroll.scrollTop;
    }
    const rows = Math.ceil(this._scroll.clientHeight / this._height);
    const first = Math.max(0, Math.min(this._firstSeen(), length - rows) - SPARE);
    const last = Math.min(length, first + rows + 2 * SPARE);
    const current = this._current < 0 ? -1 : this._search.found[this._current];
    this._bar.tell(this._search, this._current);
    const drawn = JSON.stringify([first, last, this._search.wanted, current]);
    if (drawn === this._drawn && this._fresh >= last) {
      // What a person has selected stays selected while the log grows out of sight.
      return;
    }
    this._drawn = drawn;
    this._fresh = length;
    this._seen.style.top = `${first * this._height}px`;
    this._seen.replaceChildren(...this._elements(first, last, current));
    this._measure();
  }

  private _elements(first: number, last: number, current: number): HTMLElement[] {
    const elements: HTMLElement[] = [];
    for (let index = first; index < last; index += 1) {
      const element = lineElement(this._lines.pieces(index), this._search.wanted);
      element.classList.toggle('current', index === current);
      elements.push(element);
    }
    return elements;
  }

  /** A line's height comes from the page's fonts, and is known when one is shown. */
  private _measure(): void {
    const height = this._seen.firstElementChild?.getBoundingClientRect().height ?? 0;
    if (height > 0 && Math.abs(height - this._height) > 0.01) {
      this._height = height;
      this._drawn = '';
      this._later();
    }
  }

  private readonly _lines = new Lines();
  private readonly _search: Search;
  private readonly _scroll = document.createElement('div');
  private readonly _all = document.createElement('div');
  private readonly _seen = document.createElement('div');
  private readonly _bar: Bar;
  private readonly _resizes: ResizeObserver | null;
  private _follow = true;
  /** Place of the match that was gone to last, -1 before. */
  private _current = -1;
  private _height = USUAL_HEIGHT;
  private _top = 0;
  private _frame = 0;
  /** What the elements show, and the first line that has changed since. */
  private _drawn = '';
  private _fresh = 0;
}
