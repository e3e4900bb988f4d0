import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands/ids';
import { dashboardIcon } from '../icons';
import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
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
    const tracker = new WidgetTracker<MainAreaWidget<Dashboard>>({ namespace: 'jupyter-fpga-dashboard' });
    // From the beginning, so that a dashboard that is opened later knows the last minute.
    const history = new ActionHistory(lab);
    app.commands.addCommand(CommandIDs.openDashboard, {
      label: trans.__('FPGA Dashboard'),
      caption: trans.__('Boards, queues, workers and running actions of the FPGA lab'),
      icon: dashboardIcon,
      execute: () => {
        let tab = tracker.currentWidget;
        if (tab === null || tab.isDisposed) {
          const content = new Dashboard(lab, history, trans, app.commands);
          content.title.label = trans.__('FPGA dashboard');
          content.title.icon = dashboardIcon;
          tab = new MainAreaWidget({ content });
          tab.id = 'jupyter-fpga-dashboard';
          tab.toolbar.hide();
          void tracker.add(tab);
        }
        if (!tab.isAttached) {
          app.shell.add(tab, 'main');
        }
        app.shell.activateById(tab.id);
        return tab;
      }
    });
    if (restorer) {
      void restorer.restore(tracker, { command: CommandIDs.openDashboard, name: () => 'dashboard' });
    }
  }
};
