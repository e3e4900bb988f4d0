import type { IRenderContext } from '../anywidget';
import { widgetDoor } from '../lab/widgetDoor';
import type { IRegister } from '../views/registers/layout';
import { RegisterPanel } from '../views/registers/panel';

function render({ model, el }: IRenderContext): () => void {
  const panel = new RegisterPanel(widgetDoor(model), {
    name: model.get('name') as string,
    fpgaId: model.get('fpga_id') as number,
    design: model.get('design') as string,
    registers: model.get('registers') as IRegister[]
  });
  el.append(panel.node);
  return () => {
    panel.dispose();
  };
}

export default { render };
