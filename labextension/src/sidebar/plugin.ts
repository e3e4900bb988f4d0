import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands/ids';
import { chipIcon } from '../icons';
import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
import { FpgaPanel } from './panel';

/** Boards, sessions and jobs in the left sidebar. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:sidebar',
  description: "Shows the lab's boards, and one's sessions and jobs, in the left sidebar.",
  autoStart: true,
  optional: [ILabToken, ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    lab: ILab | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    if (lab === null) {
      return;
    }
    const words = translator ?? nullTranslator;
    const trans = words.load('jupyter_fpga');
    const panel = new FpgaPanel(lab, app.commands, words);
    panel.id = 'jupyter-fpga-boards';
    panel.title.icon = chipIcon;
    panel.title.caption = trans.__('FPGA boards');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('FPGA boards'));
    app.shell.add(panel, 'left', { rank: 700 });
    restorer?.add(panel, panel.id);

    app.commands.addCommand(CommandIDs.openBoards, {
      label: trans.__('FPGA Boards'),
      caption: trans.__('Show boards, sessions and jobs of the FPGA lab'),
      icon: chipIcon,
      execute: () => {
        app.shell.activateById(panel.id);
        panel.focusBoards();
      }
    });
    addMenu(app);
  }
};

/** What a right click, or the menu key, offers on a board, a session or a job. */
function addMenu(app: JupyterFrontEnd): void {
  const board = '.jp-FpgaPanel [role=row][data-fpga-id]';
  const mine = '.jp-FpgaPanel [role=row][data-mine="true"]';
  const job = '.jp-FpgaPanel [role=row][data-job-id]';
  const items: [string, string][] = [
    [CommandIDs.pick, board],
    [CommandIDs.renew, mine],
    [CommandIDs.release, mine],
    [CommandIDs.reset, mine],
    [CommandIDs.reset, '.jp-FpgaPanel [role=row][data-state=error]:not([data-health=quarantined])'],
    [CommandIDs.takeBack, board],
    [CommandIDs.quarantine, board],
    [CommandIDs.clear, board],
    [CommandIDs.showLog, board],
    [CommandIDs.showLog, job],
    [CommandIDs.cancelJob, job]
  ];
  items.forEach(([command, selector], rank) => {
    app.contextMenu.addItem({ command, selector, rank, args: { here: true } });
  });
}
