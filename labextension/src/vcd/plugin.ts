import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import type { DocumentWidget } from '@jupyterlab/docregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';

import { VcdFactory, VcdModelFactory, type VcdContent } from './document';

/** Two signals over time, drawn in the theme's own colour. */
const waveIcon = new LabIcon({
  name: 'jupyter-fpga:waveform',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><g class="jp-icon3" fill="#616161">' +
    '<path d="M2 9h4V4h7v5h5V4h4v2h-2v5h-9V6H8v5H2z"/><path d="M2 18h7v-5h7v5h6v2h-8v-5h-3v5H2z"/></g></svg>'
});

/** Its name in “Open With”; also what a layout that is restored asks for, so it isn't translated. */
const FACTORY = 'Waveform';
const FILE_TYPE = 'vcd';

/** Opens `.vcd` files as signals over time. */
export const vcdPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:vcd',
  description: 'Opens VCD files in the waveform viewer.',
  autoStart: true,
  optional: [ITranslator, ILayoutRestorer],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null, restorer: ILayoutRestorer | null) => {
    const trans = (translator ?? nullTranslator).load('jupyter_fpga');
    app.docRegistry.addFileType({
      name: FILE_TYPE,
      displayName: trans.__('Waveform (VCD)'),
      extensions: ['.vcd'],
      mimeTypes: ['text/x-vcd'],
      contentType: 'file',
      fileFormat: 'text',
      icon: waveIcon
    });
    app.docRegistry.addModelFactory(new VcdModelFactory());
    const factory = new VcdFactory(
      {
        name: FACTORY,
        label: trans.__('Waveform'),
        modelName: 'vcd',
        fileTypes: [FILE_TYPE],
        defaultFor: [FILE_TYPE],
        readOnly: true
      },
      app.serviceManager,
      trans
    );
    app.docRegistry.addWidgetFactory(factory);
    const tracker = new WidgetTracker<DocumentWidget<VcdContent>>({ namespace: 'jupyter-fpga-vcd' });
    factory.widgetCreated.connect((_, widget) => {
      widget.title.icon = waveIcon;
      // A file that is moved is restored where it then is.
      widget.context.pathChanged.connect(() => {
        void tracker.save(widget);
      });
      void tracker.add(widget);
    });
    void restorer?.restore(tracker, {
      command: 'docmanager:open',
      args: widget => ({ path: widget.context.path, factory: FACTORY }),
      name: widget => widget.context.path
    });
  }
};
