import { showPopup, type Popup } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { CommandRegistry } from '@lumino/commands';

import type { ILab } from '../lab/model';
import { whileHolding } from '../lab/ticking';
import { timeLeft } from '../words';
import { SessionsPopup } from './popup';

/** Minutes at which the time left is said to those who hear the page, besides when a board comes or goes. */
const SAID_AT = [5, 1];

/** The board that one holds and the time left; a click offers more time, or to give it back. */
export class SessionItem extends Widget {
  constructor(lab: ILab, commands: CommandRegistry, trans: TranslationBundle) {
    super();
    this._lab = lab;
    this._commands = commands;
    this._trans = trans;
    this._button.type = 'button';
    this._button.className = 'jp-FpgaStatus';
    this._button.setAttribute('aria-haspopup', 'dialog');
    this._button.title = trans.__('The FPGA board that you hold, and for how long');
    this._button.addEventListener('click', () => {
      this._toggle();
    });
    this._said.className = 'jp-FpgaUnseen';
    this._said.setAttribute('role', 'status');
    this.node.append(this._button, this._said);
    this._end = whileHolding(lab, () => {
      this._show();
    });
  }

  /** Whether there is anything to show. */
  get active(): boolean {
    return this._lab.sessions.length > 0;
  }

  get activeChanged(): ISignal<this, void> {
    return this._activeChanged;
  }

  override dispose(): void {
    this._end();
    this._popup?.dispose();
    super.dispose();
  }

  private _toggle(): void {
    if (this._popup && !this._popup.isDisposed) {
      this._popup.dispose();
      return;
    }
    const body = new SessionsPopup(this._lab, this._commands, this._trans);
    this._popup = showPopup({ body, anchor: this, align: 'right' });
    this._popup.disposed.connect(() => {
      body.dispose();
      this._button.focus();
    });
    body.focusFirst();
  }

  private _show(): void {
    const { _lab: lab, _trans: trans } = this;
    const { sessions } = lab;
    if (sessions.length === 0) {
      this._button.textContent = '';
      this._popup?.dispose();
    } else {
      // The one that ends first.
      const [first] = [...sessions].sort((one, other) => lab.secondsLeft(one) - lab.secondsLeft(other));
      const seconds = lab.secondsLeft(first);
      const more = sessions.length > 1 ? ` +${sessions.length - 1}` : '';
      this._button.textContent = `${trans.__('Board %1', first.fpga_id)} · ${timeLeft(trans, seconds)}${more}`;
      this._button.classList.toggle('jp-mod-soon', seconds < 300);
      this._say(first.fpga_id, seconds);
    }
    const now = sessions.map(session => session.session_id).join(' ');
    if (now !== this._ids) {
      const gone = now.length < this._ids.length;
      this._ids = now;
      this._activeChanged.emit();
      if (gone && sessions.length === 0) {
        this._said.textContent = trans.__('You hold no board any more.');
      }
    }
  }

  private _say(fpgaId: number, seconds: number): void {
    const stage = SAID_AT.filter(minutes => seconds <= minutes * 60).length;
    const about = `${fpgaId} ${stage}`;
    if (about !== this._saidAbout) {
      this._saidAbout = about;
      this._said.textContent = this._trans.__(
        'Board %1 is yours for %2 more minutes.',
        fpgaId,
        Math.max(1, Math.round(seconds / 60))
      );
    }
  }

  private readonly _lab: ILab;
  private readonly _commands: CommandRegistry;
  private readonly _trans: TranslationBundle;
  private readonly _button = document.createElement('button');
  private readonly _said = document.createElement('span');
  private readonly _activeChanged = new Signal<this, void>(this);
  private readonly _end: () => void;
  private _popup: Popup | null = null;
  private _ids = '';
  private _saidAbout = '';
}
