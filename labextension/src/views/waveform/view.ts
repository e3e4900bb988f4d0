/** Signals over time on a page: zoomed, panned, measured and searched, by pointer or keys. */

import { plainTrans, type ITrans } from '../trans';
import { draw, ROW, RULER } from './draw';
import { keyCommand } from './keys';
import { Names } from './names';
import { followPointer } from './pointer';
import type { IWaveform } from './signal';
import { STYLE } from './style';
import { onThemeChange, themeOf, type ITheme } from './theme';
import { Toolbar } from './toolbar';
import { Viewer } from './viewer';

/** What a view is made with. */
export interface IOptions {
  trans?: ITrans;
  /** It is as high as its rows need, and so many pixels at most; without it, it fills what is around it. */
  mostHeight?: number;
}

export class WaveformView {
  constructor({ trans = plainTrans, mostHeight }: IOptions = {}) {
    this._trans = trans;
    this._mostHeight = mostHeight;
    this.node.className = 'fpga-Wave';
    // JupyterLab's keys, such as `a` for a new cell, aren't meant by whoever works in here.
    this.node.dataset['lmSuppressShortcuts'] = 'true';
    this._toolbar = new Toolbar(trans, () => this._viewer);
    this._names = new Names(trans);
    this._assemble();
    followPointer(
      this._picture,
      () => this._viewer,
      () => this._body.scrollTop
    );
    this._listen();
    this._observer.observe(this._body);
    this._unwatch = onThemeChange(() => {
      this._theme = null;
      this._invalidate();
    });
  }

  readonly node = document.createElement('div');

  /** What is shown and can be done; `null` until there is a waveform. */
  get viewer(): Viewer | null {
    return this._viewer;
  }

  /** Show a waveform instead of what was shown. */
  show(waveform: IWaveform): void {
    const viewer = new Viewer(waveform, this._trans, () => {
      this._invalidate();
    });
    this._viewer = viewer;
    this._fitHeight(viewer);
    this._measure();
    this._invalidate();
  }

  dispose(): void {
    cancelAnimationFrame(this._frame);
    this._observer.disconnect();
    this._unwatch();
    this._viewer = null;
    this.node.remove();
  }

  private _assemble(): void {
    const style = document.createElement('style');
    style.textContent = STYLE;
    const stage = document.createElement('div');
    stage.className = 'fpga-Wave-stage';
    this._picture.className = 'fpga-Wave-picture';
    this._picture.tabIndex = 0;
    this._picture.setAttribute('role', 'application');
    this._picture.setAttribute('aria-label', this._trans.__('Signals over time'));
    stage.append(this._names.node, this._picture);
    this._space.append(stage);
    this._body.className = 'fpga-Wave-body';
    this._body.append(this._space);
    this._status.className = 'fpga-Wave-status';
    this._status.setAttribute('role', 'status');
    this.node.append(style, this._toolbar.node, this._body, this._toolbar.help, this._status);
  }

  private _listen(): void {
    this._body.addEventListener('scroll', () => {
      this._invalidate();
    });
    this._names.node.addEventListener('click', event => {
      const row = (event.target as Element).closest<HTMLElement>('.fpga-Wave-row');
      const index = Number(row?.dataset['index'] ?? -1);
      if (index >= 0 && this._viewer !== null) {
        const again = index === this._viewer.selected;
        this._viewer.choose(index);
        if (again || this._viewer.row?.isGroup === true) {
          this._viewer.toggle();
        }
      }
    });
    this._names.node.addEventListener('keydown', event => {
      this._press(event, 'names');
    });
    this._picture.addEventListener('keydown', event => {
      this._press(event, 'picture');
    });
  }

  private _press(event: KeyboardEvent, where: 'names' | 'picture'): void {
    if (event.key === '/') {
      this._toolbar.focusFind();
      event.preventDefault();
      return;
    }
    const command = keyCommand(event, where);
    if (command === null || this._viewer === null) {
      return;
    }
    event.preventDefault();
    const { selected } = this._viewer;
    command(this._viewer);
    if (this._viewer.selected !== selected) {
      this._reveal(this._viewer.selected);
    }
  }

  /** Scroll until a row is in view. */
  private _reveal(index: number): void {
    const top = index * ROW;
    const room = this._body.clientHeight - RULER - ROW;
    this._body.scrollTop = Math.min(Math.max(this._body.scrollTop, top - room), top);
  }

  private _fitHeight(viewer: Viewer): void {
    if (this._mostHeight !== undefined) {
      this._body.style.height = `${Math.min(RULER + viewer.rows.length * ROW, this._mostHeight)}px`;
    }
  }

  /** Take the page's measures, which a frame must not ask for: that would lay the page out in the middle of it. */
  private _measure(): void {
    const viewer = this._viewer;
    // A tab that isn't in front has no size; it gets one when it is.
    if (viewer === null || this._body.clientWidth === 0) {
      return;
    }
    this._height = this._body.clientHeight;
    const names = Math.min(this._names.widthFor(viewer), this._body.clientWidth * 0.45);
    this._names.node.style.width = `${names}px`;
    this._names.node.style.height = this._picture.style.height = `${this._height}px`;
    viewer.resize(this._body.clientWidth - names);
  }

  private _invalidate(): void {
    if (this._frame === 0) {
      this._frame = requestAnimationFrame(() => {
        this._frame = 0;
        this._render();
      });
    }
  }

  private _render(): void {
    const viewer = this._viewer;
    const context = this._picture.getContext('2d');
    if (viewer === null || context === null) {
      return;
    }
    if (this._rows !== viewer.rows) {
      this._rows = viewer.rows;
      this._space.style.height = `${RULER + viewer.rows.length * ROW}px`;
      this._fitHeight(viewer);
    }
    this._theme ??= themeOf(this.node);
    const scroll = this._body.scrollTop;
    const ratio = devicePixelRatio;
    const [wide, high] = [Math.round(viewer.scale.width * ratio), Math.round(this._height * ratio)];
    if (this._picture.width !== wide || this._picture.height !== high) {
      this._picture.width = wide;
      this._picture.height = high;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(context, viewer, this._theme, this._height, scroll);
    this._names.show(viewer, this._height - RULER, scroll);
    this._toolbar.show(viewer);
    const summary = viewer.summary || this._trans.__('Click to place a cursor; ? tells the keys.');
    if (summary !== this._summary) {
      this._summary = summary;
      this._status.textContent = summary;
    }
  }

  private readonly _trans: ITrans;
  private readonly _mostHeight: number | undefined;
  private readonly _toolbar: Toolbar;
  private readonly _names: Names;
  private readonly _body = document.createElement('div');
  private readonly _space = document.createElement('div');
  private readonly _picture = document.createElement('canvas');
  private readonly _status = document.createElement('div');
  private readonly _observer = new ResizeObserver(() => {
    this._measure();
  });
  private readonly _unwatch: () => void;
  private _viewer: Viewer | null = null;
  private _rows: unknown = null;
  private _theme: ITheme | null = null;
  private _height = 0;
  private _frame = 0;
  private _summary = '';
}
