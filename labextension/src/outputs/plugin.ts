import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { VIEW_TYPE, ViewRenderer } from './renderer';

/** Better than ipywidgets' own, which is -10, and than any static form: less is better. */
const RANK = -20;

/** Outputs that are views of ours show their static form whenever there is no live one. */
export const outputsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:outputs',
  description: 'Shows the static form of views in notebooks without a kernel.',
  autoStart: true,
  optional: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker | null) => {
    const prepare = (panel: NotebookPanel): void => {
      const rendermime = panel.content.rendermime;
      rendermime.addFactory(
        {
          // Views run what they bring: an untrusted notebook's are shown as static HTML, by JupyterLab itself.
          safe: false,
          mimeTypes: [VIEW_TYPE],
          createRenderer: () => new ViewRenderer(rendermime, panel.sessionContext)
        },
        RANK
      );
    };
    tracker?.forEach(prepare);
    tracker?.widgetAdded.connect((_tracker, panel) => {
      prepare(panel);
    });
  }
};
