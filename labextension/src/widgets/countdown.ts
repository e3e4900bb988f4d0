import { rendering } from '../lab/widgetDoor';
import { SessionCountdown } from '../views/countdown/countdown';

export default {
  render: rendering(
    (door, model) =>
      new SessionCountdown(door, {
        name: model.get('name') as string,
        fpgaId: model.get('fpga_id') as number
      })
  )
};
