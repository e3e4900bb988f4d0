import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { JupyterDoor } from './jupyterDoor';
import { Lab, type ILab } from './model';
import { ILabToken } from './token';

/** One connection to the lab for all panels of this JupyterLab. */
export const labPlugin: JupyterFrontEndPlugin<ILab> = {
  id: 'jupyter-fpga:lab',
  description: "Follows the lab's events, and keeps its boards and one's sessions and jobs for the panels.",
  autoStart: true,
  provides: ILabToken,
  activate: (app: JupyterFrontEnd) => new Lab(new JupyterDoor(app.serviceManager.serverSettings))
};
