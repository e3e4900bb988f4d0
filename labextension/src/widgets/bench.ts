import type { IRenderContext } from '../anywidget';
import { widgetDoor } from '../lab/widgetDoor';
import { BenchView } from '../views/bench/view';

function render({ model, el }: IRenderContext): () => void {
  const view = new BenchView(widgetDoor(model), {
    name: model.get('name') as string,
    fpgaId: model.get('fpga_id') as number,
    leds: model.get('leds') as number,
    buttons: model.get('buttons') as number,
    switches: model.get('switches') as number,
    console: model.get('console') as boolean
  });
  el.append(view.node);
  return () => {
    view.dispose();
  };
}

export default { render };
