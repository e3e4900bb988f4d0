import { rendering } from '../lab/widgetDoor';
import type { IRegister } from '../views/registers/layout';
import { RegisterPanel } from '../views/registers/panel';

export default {
  render: rendering(
    (door, model) =>
      new RegisterPanel(door, {
        name: model.get('name') as string,
        fpgaId: model.get('fpga_id') as number,
        design: model.get('design') as string,
        registers: model.get('registers') as IRegister[]
      })
  )
};
