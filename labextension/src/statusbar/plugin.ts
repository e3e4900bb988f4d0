import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
import { SessionItem } from './item';

/** The time left on one's board, in the status bar. */
export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:statusbar',
  description: 'Shows the board that one holds, and the time left, in the status bar.',
  autoStart: true,
  optional: [ILabToken, ITranslator, IStatusBar],
  activate: (app: JupyterFrontEnd, lab: ILab | null, translator: ITranslator | null, statusBar: IStatusBar | null) => {
    if (lab === null || statusBar === null) {
      return;
    }
    const item = new SessionItem(lab, app.commands, (translator ?? nullTranslator).load('jupyter_fpga'));
    statusBar.registerStatusItem('jupyter-fpga:session', {
      item,
      align: 'right',
      rank: 50,
      isActive: () => item.active,
      activeStateChanged: item.activeChanged
    });
  }
};
