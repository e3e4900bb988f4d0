import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands/ids';
import { dashboardIcon } from '../icons';
import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
import { Tabs } from '../tabs';
import { ActionHistory } from './history';
import { Dashboard } from './panel';

/** The lab's dashboard, in a tab that is there again after a reload. */
export const dashboardPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:dashboard',
  description: 'Shows boards, queues, workers, running actions and the cache hit rate of the lab in a tab.',
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
    const trans = (translator ?? nullTranslator).load('jupyter_fpga');
    const tabs = new Tabs<Dashboard>(app.shell, 'dashboard');
    // From the beginning, so that a dashboard that is opened later knows the last minute.
    const history = new ActionHistory(lab);
    app.commands.addCommand(CommandIDs.openDashboard, {
      label: trans.__('FPGA Dashboard'),
      caption: trans.__('Boards, queues, workers and running actions of the FPGA lab'),
      icon: dashboardIcon,
      execute: () =>
        tabs.show('', () => {
          const dashboard = new Dashboard(lab, history, trans, app.commands);
          dashboard.title.label = trans.__('FPGA dashboard');
          dashboard.title.icon = dashboardIcon;
          return dashboard;
        })
    });
    tabs.restore(restorer, CommandIDs.openDashboard);
  }
};
