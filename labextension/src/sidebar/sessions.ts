import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands/ids';
import { shapeIcon } from '../icons';
import type { ILab, IMySession } from '../lab/model';
import { whileHolding } from '../lab/ticking';
import { timeLeft } from '../words';
import { Rows, type IRow } from './rows';
import { span } from './text';

/** The boards that one holds, and for how long. */
export class SessionsSection extends Widget {
  constructor(lab: ILab, commands: CommandRegistry, trans: TranslationBundle) {
    super();
    this._lab = lab;
    this._commands = commands;
    this._trans = trans;
    this.addClass('jp-FpgaSection');
    this._rows = new Rows(trans.__('My sessions'), trans.__('You hold no board. A %1 cell gets you one.', '%%fpga'));
    this.node.append(this._rows.node);
    this._end = whileHolding(lab, () => {
      this._show();
    });
  }

  override dispose(): void {
    this._end();
    super.dispose();
  }

  private _show(): void {
    const { sessions } = this._lab;
    this._rows.show(sessions.map(session => this._row(session)));
    for (const session of sessions) {
      const time = this._rows.element(String(session.fpga_id))?.querySelector('.jp-FpgaRows-more');
      if (time) {
        time.textContent = this._trans.__('%1 left', timeLeft(this._trans, this._lab.secondsLeft(session)));
      }
    }
  }

  private _row(session: IMySession): IRow {
    const id = session.fpga_id;
    const run = (command: string) => () => {
      void this._commands.execute(command, { fpga_id: id });
    };
    return {
      key: String(id),
      face: session.session_id,
      data: { fpgaId: String(id), mine: 'true', look: 'mine' },
      content: () => [
        shapeIcon('mine'),
        span('jp-FpgaRows-title', this._trans.__('Board %1', id)),
        span('jp-FpgaRows-more', '')
      ],
      actions: () => [
        { label: this._trans.__('Renew'), act: run(CommandIDs.renew) },
        { label: this._trans.__('Release'), act: run(CommandIDs.release) }
      ],
      onEnter: run(CommandIDs.renew),
      onDelete: run(CommandIDs.release)
    };
  }

  private readonly _lab: ILab;
  private readonly _commands: CommandRegistry;
  private readonly _trans: TranslationBundle;
  private readonly _rows: Rows;
  private readonly _end: () => void;
}
