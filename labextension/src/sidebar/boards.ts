import type { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, closeIcon, historyIcon, listIcon, refreshIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands/ids';
import { operations } from '../commands/operations';
import { shapeIcon } from '../icons';
import type { ILab } from '../lab/model';
import type { IBoard } from '../lab/records';
import { isFree, stateLook, stateWord } from '../words';
import { Rows, type IRow, type IRowAction } from './rows';
import { secondLine, span } from './text';

/** The lab's boards, with what one may do to them. */
export class BoardsSection extends Widget {
  constructor(lab: ILab, commands: CommandRegistry, trans: TranslationBundle) {
    super();
    this._lab = lab;
    this._commands = commands;
    this._trans = trans;
    this.addClass('jp-FpgaSection');
    this._rows = new Rows(trans.__('Boards'), trans.__('No board is like that.'));
    this.node.append(this._filters(), this._rows.node);
    lab.boardsChanged.connect(this._show, this);
    // When it is back, one may be somebody else, or have another role.
    lab.connectionChanged.connect(this._show, this);
    this._show();
  }

  override dispose(): void {
    this._lab.boardsChanged.disconnect(this._show, this);
    this._lab.connectionChanged.disconnect(this._show, this);
    super.dispose();
  }

  /** Put the cursor into the list. */
  focus(): void {
    this._rows.focus();
  }

  private _filters(): HTMLElement {
    const bar = document.createElement('div');
    bar.className = 'jp-FpgaSection-filters';
    this._filter.type = 'search';
    this._filter.placeholder = this._trans.__('Filter');
    this._filter.setAttribute('aria-label', this._trans.__('Show only boards with this target, holder, tag or number'));
    this._free.type = 'checkbox';
    const label = document.createElement('label');
    label.append(this._free, this._trans.__('free'));
    label.title = this._trans.__('Show only boards that are free');
    for (const input of [this._filter, this._free]) {
      input.addEventListener('input', () => {
        this._show();
      });
    }
    bar.append(this._filter, label);
    return bar;
  }

  private _show(): void {
    const wanted = this._filter.value.trim().toLowerCase();
    this._rows.show(
      this._lab.boards
        .filter(board => !this._free.checked || isFree(board))
        .filter(board => wanted === '' || isLike(board, wanted))
        .map(board => this._row(board))
    );
  }

  private _row(board: IBoard): IRow {
    const trans = this._trans;
    const id = board.fpga_id;
    const mine = Boolean(board.session?.session_id);
    const run = (command: string, args: Record<string, string | number>) => () => {
      void this._commands.execute(command, args);
    };
    const action = (label: string, icon: typeof addIcon, command: string): IRowAction => ({
      label,
      icon: container => icon.element({ container, tag: 'span' }),
      act: run(command, { fpga_id: id })
    });
    const holder = board.session?.owner ?? '';
    const takeBack: IRowAction[] =
      operations(this._lab, board).includes(CommandIDs.takeBack)
        ? [
            {
              label: trans.__('Take back board %1 from %2 …', id, holder),
              text: trans.__('Take back'),
              act: run(CommandIDs.takeBack, { fpga_id: id })
            }
          ]
        : [];
    const log: IRowAction[] = board.current_job_id
      ? [
          {
            ...action(trans.__('Show the log of board %1', id), listIcon, ''),
            act: run(CommandIDs.showLog, { job_id: board.current_job_id })
          }
        ]
      : [];
    return {
      key: String(id),
      face: JSON.stringify([
        board.state,
        board.health,
        board.owner,
        board.session?.session_id,
        board.session === null,
        board.target,
        board.tags,
        board.current_job_id,
        this._lab.isOperator
      ]),
      data: { fpgaId: String(id), look: stateLook(board), state: board.state, health: board.health, mine: String(mine) },
      content: () => [
        shapeIcon(stateLook(board)),
        span('jp-FpgaRows-title', trans.__('Board %1', id)),
        span('jp-FpgaRows-state', stateWord(trans, board)),
        secondLine([board.target, ...board.tags, board.owner ?? ''], board.reason ?? undefined)
      ],
      actions: () => [
        ...(isFree(board) || mine
          ? [action(trans.__('Use board %1 in the notebook', id), addIcon, CommandIDs.pick)]
          : []),
        ...(mine
          ? [
              action(trans.__('Renew the session on board %1', id), historyIcon, CommandIDs.renew),
              action(trans.__('Release board %1', id), closeIcon, CommandIDs.release)
            ]
          : []),
        ...takeBack,
        ...(mine || (board.state === 'error' && board.health !== 'quarantined')
          ? [action(trans.__('Reset board %1', id), refreshIcon, CommandIDs.reset)]
          : []),
        ...log
      ],
      onEnter: run(CommandIDs.pick, { fpga_id: id }),
      onDelete: mine ? run(CommandIDs.release, { fpga_id: id }) : undefined
    };
  }

  private readonly _lab: ILab;
  private readonly _commands: CommandRegistry;
  private readonly _trans: TranslationBundle;
  private readonly _filter = document.createElement('input');
  private readonly _free = document.createElement('input');
  private readonly _rows: Rows;
}

function isLike(board: IBoard, wanted: string): boolean {
  return (
    String(board.fpga_id) === wanted ||
    [board.target, board.owner ?? '', ...board.tags].some(word => word.toLowerCase().includes(wanted))
  );
}
