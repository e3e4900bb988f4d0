import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands/ids';
import { chipIcon } from '../icons';

/** A chip; of a colour that is seen on light and on dark. */
const CARD = chipIcon.svgstr.replaceAll('#616161', '#f37726');

/** Where one starts: cards in the launcher, entries in the File and View menus. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:launcher',
  description: "Adds cards to the launcher and entries to the menus: a first notebook, the lab's dashboard.",
  autoStart: true,
  optional: [ITranslator, ILauncher, IMainMenu],
  activate: (
    _: JupyterFrontEnd,
    translator: ITranslator | null,
    launcher: ILauncher | null,
    menu: IMainMenu | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_fpga');
    // In the category of notebooks a card's picture is an address, as kernels have it.
    const kernelIconUrl = `data:image/svg+xml,${encodeURIComponent(CARD)}`;
    launcher?.add({ command: CommandIDs.newNotebook, category: trans.__('Notebook'), rank: 10, kernelIconUrl });
    launcher?.add({ command: CommandIDs.openDashboard, category: trans.__('Other'), rank: 10 });
    menu?.fileMenu.newMenu.addGroup([{ command: CommandIDs.newNotebook }], 50);
    menu?.viewMenu.addGroup([{ command: CommandIDs.openBoards }, { command: CommandIDs.openDashboard }], 50);
  }
};
