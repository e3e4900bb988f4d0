import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ILab } from '../lab/model';
import type { IBoard } from '../lab/records';
import { tellFailure } from './failure';
import { CommandIDs } from './ids';
import { operations } from './operations';
import { boardId, type IRowsApp } from './rows';

/** Add what only operators may do. Nobody else sees these commands, wherever they are offered. */
export function addOperatorCommands(app: IRowsApp, lab: ILab, trans: TranslationBundle): void {
  const boardOf = (args: ReadonlyPartialJSONObject): IBoard | undefined => lab.board(boardId(app, args) ?? -1);
  const add = (command: string, label: string, act: (board: IBoard) => Promise<void>): void => {
    app.commands.addCommand(command, {
      label,
      isVisible: args => {
        const board = boardOf(args);
        return board !== undefined && operations(lab, board).includes(command);
      },
      execute: async args => {
        const board = boardOf(args);
        if (board !== undefined) {
          await tellFailure(act(board));
        }
      }
    });
  };
  add(CommandIDs.takeBack, trans.__('Take Back …'), board => takeBack(lab, trans, board));
  add(CommandIDs.quarantine, trans.__('Take Out of Service …'), board => quarantine(lab, trans, board));
  add(CommandIDs.clear, trans.__('Return to Service'), board => lab.clear(board.fpga_id));
}

async function takeBack(lab: ILab, trans: TranslationBundle, { fpga_id, session }: IBoard): Promise<void> {
  const holder = session?.owner ?? '';
  const { button } = await showDialog({
    title: trans.__('Take board %1 back from %2?', fpga_id, holder),
    body: trans.__(
      '%1 works with it now. Their session ends at once: what is in the board’s registers is lost, and what they have waiting for it is cancelled. They are told.',
      holder
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Take Back') })
    ],
    // Whoever presses Enter without reading ends nobody's work.
    defaultButton: 0
  });
  if (!button.accept) {
    return;
  }
  if (lab.board(fpga_id)?.session?.owner !== holder) {
    // That it is somebody else's work by now wasn't asked.
    Notification.warning(trans.__('%1 does not hold board %2 any more, so nothing was done.', holder, fpga_id), {
      autoClose: 10_000
    });
    return;
  }
  await lab.kick(fpga_id);
}

async function quarantine(lab: ILab, trans: TranslationBundle, { fpga_id }: IBoard): Promise<void> {
  const { button, value } = await InputDialog.getText({
    title: trans.__('Take board %1 out of service?', fpga_id),
    label: trans.__('Why? Everybody in the lab sees it.'),
    required: true,
    okLabel: trans.__('Take Out of Service')
  });
  const reason = value?.trim() ?? '';
  if (button.accept && reason !== '') {
    await lab.quarantine(fpga_id, reason);
  }
}
