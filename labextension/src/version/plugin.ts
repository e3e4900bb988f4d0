import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { version } from '../../package.json';
import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
import { VersionCheck } from './check';

/** Says when the page and the lab are of different versions. */
export const versionPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:version',
  description: "Compares the front end's version with the lab's, and says what to do when they differ.",
  autoStart: true,
  optional: [ILabToken, ITranslator],
  activate: (_: JupyterFrontEnd, lab: ILab | null, translator: ITranslator | null) => {
    if (lab !== null) {
      const trans = (translator ?? nullTranslator).load('jupyter_fpga');
      new VersionCheck(lab, version, trans, sentence => {
        Notification.warning(sentence, { autoClose: false });
      });
    }
  }
};
