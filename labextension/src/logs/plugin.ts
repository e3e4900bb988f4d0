import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { listIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands/ids';
import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
import { Tabs } from '../tabs';
import { LogPanel } from './panel';

/** Logs of jobs, each in a tab of its own that is there again after a reload. */
export const logsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:logs',
  description: 'Shows the logs of builds and other jobs in tabs.',
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
    const tabs = new Tabs<LogPanel>(app.shell, 'log');

    const wanted = (args: ReadonlyPartialJSONObject): string | undefined => {
      if (typeof args['job_id'] === 'string') {
        return args['job_id'];
      }
      const row = args['here'] ? app.contextMenuHitTest(node => node.getAttribute('role') === 'row') : undefined;
      if (row?.dataset.jobId) {
        return row.dataset.jobId;
      }
      if (row?.dataset.fpgaId) {
        const id = Number(row.dataset.fpgaId);
        return lab.board(id)?.current_job_id ?? lab.jobs.find(job => job.fpga_id === id)?.job_id;
      }
      return lab.jobs[0]?.job_id;
    };
    app.commands.addCommand(CommandIDs.showLog, {
      label: trans.__('Show Job Log'),
      caption: trans.__('Show what a build says; of the newest one, when none is chosen'),
      icon: listIcon,
      isEnabled: args => wanted(args) !== undefined,
      execute: args => {
        const jobId = wanted(args);
        if (jobId === undefined) {
          return null;
        }
        return tabs.show(jobId, () => {
          const panel = new LogPanel(lab, jobId, trans);
          panel.title.icon = listIcon;
          panel.title.label ||= trans.__('Log');
          return panel;
        });
      }
    });
    tabs.restore(restorer, CommandIDs.showLog, ({ jobId }) => ({ job_id: jobId }));
  }
};
