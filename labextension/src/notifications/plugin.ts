import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands/ids';
import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
import { Said } from './said';
import { USUAL, Watch, type INotice, type INoticeSettings } from './watch';

const ID = 'jupyter-fpga:notifications';

/** Tells of sessions that end, builds that are done and boards that are lost. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Tells when a board session is about to end, a build is done, or a board is lost.',
  autoStart: true,
  optional: [ILabToken, ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    lab: ILab | null,
    translator: ITranslator | null,
    registry: ISettingRegistry | null
  ) => {
    if (lab === null) {
      return;
    }
    const run = (command: string, args: Record<string, string | number>): void => {
      void app.commands.execute(command, args);
    };
    const watch = new Watch(lab, (translator ?? nullTranslator).load('jupyter_fpga'), {
      tell,
      renew: fpga_id => {
        run(CommandIDs.renew, { fpga_id });
      },
      release: fpga_id => {
        run(CommandIDs.release, { fpga_id });
      },
      showLog: job_id => {
        run(CommandIDs.showLog, { job_id });
      },
      lookedAt: () => (document.visibilityState === 'hidden' ? null : (app.shell.currentWidget?.id ?? null)),
      said: new Said()
    });
    if (registry) {
      void registry.load(ID).then(settings => {
        const take = (): void => {
          watch.settings = { ...USUAL, ...(settings.composite as Partial<INoticeSettings>) };
        };
        settings.changed.connect(take);
        take();
      });
    }
  }
};

function tell({ kind, message, actions }: INotice): () => void {
  const id = Notification.emit(message, kind, {
    // What has to be answered stays.
    autoClose: kind === 'success' || kind === 'info' ? 8000 : false,
    actions: actions.map(({ label, act }) => ({ label, callback: act }))
  });
  return () => {
    Notification.dismiss(id);
  };
}
