import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';

import { JupyterDoor } from '../lab/jupyterDoor';
import { BoardsPanel } from './panel';

/** A chip with its pins, drawn in the theme's own colour. */
const chipIcon = new LabIcon({
  name: 'jupyter-fpga:chip',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<g class="jp-icon3" fill="#616161"><path d="M6 6h12v12H6z"/>' +
    '<path d="M8 2h2v3H8zm6 0h2v3h-2zM8 19h2v3H8zm6 0h2v3h-2zM2 8h3v2H2zm0 6h3v2H2zM19 8h3v2h-3zm0 6h3v2h-3z"/>' +
    '</g></svg>'
});

/** The boards of the lab in the left sidebar. */
export const boardsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:boards',
  description: "Shows the lab's boards in the left sidebar.",
  autoStart: true,
  optional: [ITranslator, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_fpga');
    const panel = new BoardsPanel(new JupyterDoor(app.serviceManager.serverSettings), trans);
    panel.id = 'jupyter-fpga-boards';
    panel.title.icon = chipIcon;
    panel.title.caption = trans.__('FPGA boards');
    app.shell.add(panel, 'left', { rank: 700 });
    restorer?.add(panel, panel.id);
  }
};
