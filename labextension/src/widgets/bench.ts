import { rendering } from '../lab/widgetDoor';
import { BenchView } from '../views/bench/view';

export default {
  render: rendering(
    (door, model) =>
      new BenchView(door, {
        name: model.get('name') as string,
        fpgaId: model.get('fpga_id') as number,
        leds: model.get('leds') as number,
        buttons: model.get('buttons') as number,
        switches: model.get('switches') as number,
        console: model.get('console') as boolean
      })
  )
};
