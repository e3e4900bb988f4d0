/** Everything that can be done, for those who don't know the keys. */

import type { ITrans } from '../trans';
import { RADIXES, type Radix } from './radix';
import type { Viewer } from './viewer';

export class Toolbar {
  /** @param viewer - gives the viewer that is shown now. */
  constructor(
    private readonly _trans: ITrans,
    private readonly _viewer: () => Viewer | null
  ) {
    this.node.className = 'fpga-Wave-bar';
    this.node.setAttribute('role', 'toolbar');
    this.node.setAttribute('aria-label', _trans.__('Waveform'));
    this.help.className = 'fpga-Wave-help';
    this.help.hidden = true;
    this.help.append(this._keys());
    this._find.type = 'search';
    this._find.placeholder = _trans.__('Find a value');
    this._find.setAttribute('aria-label', _trans.__('Find a value of the selected signal'));
    this._find.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        this._viewer()?.find(this._find.value, event.shiftKey ? -1 : 1);
      }
    });
    this._radix.setAttribute('aria-label', _trans.__('How the values of the selected signal are written'));
    const names: Record<Radix, string> = {
      name: _trans.__('Name or hex'),
      hex: _trans.__('Hexadecimal'),
      unsigned: _trans.__('Unsigned'),
      signed: _trans.__('Signed'),
      binary: _trans.__('Binary'),
      ascii: _trans.__('ASCII')
    };
    this._radix.append(...RADIXES.map(radix => new Option(names[radix], radix)));
    this._radix.addEventListener('change', () => {
      this._viewer()?.setRadix(this._radix.value as Radix);
    });
    const help = this._button('?', _trans.__('Keys'), () => {
      this.help.hidden = !this.help.hidden;
      help.setAttribute('aria-expanded', String(!this.help.hidden));
    });
    help.setAttribute('aria-expanded', 'false');
    this.node.append(
      this._button('−', _trans.__('Zoom out'), viewer => { viewer.zoom(2); }),
      this._button('+', _trans.__('Zoom in'), viewer => { viewer.zoom(0.5); }),
      this._button(_trans.__('Fit'), _trans.__('Show everything'), viewer => { viewer.fit(); }),
      this._button('A–B', _trans.__('Show what is between the cursors'), viewer => { viewer.showBetween(); }),
      this._button('A', _trans.__('Cursor A'), viewer => { viewer.activate(0); }),
      this._button('B', _trans.__('Cursor B'), viewer => { viewer.activate(1); }),
      this._button('⇤', _trans.__('Previous change of the selected signal'), viewer => { viewer.edge(-1); }),
      this._button('⇥', _trans.__('Next change of the selected signal'), viewer => { viewer.edge(1); }),
      this._find,
      this._radix,
      help
    );
  }

  readonly node = document.createElement('div');
  /** What the keys do; shown on demand. */
  readonly help = document.createElement('div');

  /** To the box for values. */
  focusFind(): void {
    this._find.focus();
  }

  show(viewer: Viewer): void {
    const radix = viewer.row === undefined ? 'name' : viewer.radixOf(viewer.row);
    if (this._radix.value !== radix) {
      this._radix.value = radix;
    }
  }

  private _button(text: string, label: string, press: (viewer: Viewer) => void): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = text;
    button.title = label;
    button.setAttribute('aria-label', label);
    button.addEventListener('click', () => {
      const viewer = this._viewer();
      if (viewer !== null) {
        press(viewer);
      }
    });
    return button;
  }

  private _keys(): HTMLUListElement {
    const list = document.createElement('ul');
    const trans = this._trans;
    for (const [keys, does] of [
      ['+ −', trans.__('zoom')],
      ['0', trans.__('show everything')],
      ['← →', trans.__('earlier, later')],
      ['Shift ← →', trans.__('move the cursor')],
      ['a b', trans.__('which cursor')],
      ['z', trans.__('show what is between the cursors')],
      ['n p', trans.__('next, previous change')],
      ['/', trans.__('find a value; Shift+Enter finds backwards')],
      ['r', trans.__('next radix')],
      ['t', trans.__('trigger')],
      ['↑ ↓ Enter', trans.__('select, fold')],
      ['Esc', trans.__('without cursors')],
      [trans.__('Wheel'), trans.__('zoom, with Ctrl or after a click; Shift: earlier, later')],
      [trans.__('Shift+drag'), trans.__('zoom to what is selected; Shift+click: cursor B')]
    ]) {
      const item = document.createElement('li');
      const key = document.createElement('kbd');
      key.textContent = keys;
      item.append(key, ` ${does}`);
      list.append(item);
    }
    return list;
  }

  private readonly _find = document.createElement('input');
  private readonly _radix = document.createElement('select');
}
