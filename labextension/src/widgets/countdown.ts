import type { IRenderContext } from '../anywidget';
import { widgetDoor } from '../lab/widgetDoor';
import { SessionCountdown } from '../views/countdown/countdown';

function render({ model, el }: IRenderContext): () => void {
  const countdown = new SessionCountdown(widgetDoor(model), {
    name: model.get('name') as string,
    fpgaId: model.get('fpga_id') as number
  });
  el.append(countdown.node);
  return () => {
    countdown.dispose();
  };
}

export default { render };
