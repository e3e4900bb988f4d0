import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands/ids';
import type { ILab, IMySession } from '../lab/model';
import { whileHolding } from '../lab/ticking';
import { timeLeft } from '../words';

/** The boards that one holds, each with Renew and Release. */
export class SessionsPopup extends Widget {
  constructor(lab: ILab, commands: CommandRegistry, trans: TranslationBundle) {
    super();
    this._lab = lab;
    this._commands = commands;
    this._trans = trans;
    this.addClass('jp-FpgaPopup');
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-label', trans.__('My boards'));
    this._end = whileHolding(lab, () => {
      this._show();
    });
  }

  /** Put the cursor on the first button. */
  focusFirst(): void {
    this.node.querySelector('button')?.focus();
  }

  override dispose(): void {
    this._end();
    super.dispose();
  }

  private _show(): void {
    const { sessions } = this._lab;
    const ids = sessions.map(session => session.session_id).join(' ');
    if (ids !== this._ids) {
      this._ids = ids;
      this.node.replaceChildren(...sessions.map(session => this._line(session)));
    }
    sessions.forEach((session, index) => {
      const text = this.node.children[index].querySelector('span');
      if (text) {
        const left = timeLeft(this._trans, this._lab.secondsLeft(session));
        text.textContent = this._trans.__('Board %1: %2 left', session.fpga_id, left);
      }
    });
  }

  private _line(session: IMySession): HTMLElement {
    const line = document.createElement('div');
    line.append(document.createElement('span'));
    const actions: [string, string, string][] = [
      [this._trans.__('Renew'), this._trans.__('Renew the session on board %1', session.fpga_id), CommandIDs.renew],
      [this._trans.__('Release'), this._trans.__('Release board %1', session.fpga_id), CommandIDs.release]
    ];
    for (const [text, label, command] of actions) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = text;
      button.setAttribute('aria-label', label);
      button.addEventListener('click', () => {
        void this._commands.execute(command, { fpga_id: session.fpga_id });
      });
      line.append(button);
    }
    return line;
  }

  private readonly _lab: ILab;
  private readonly _commands: CommandRegistry;
  private readonly _trans: TranslationBundle;
  private readonly _end: () => void;
  private _ids = '';
}
