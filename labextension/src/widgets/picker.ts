import { rendering } from '../lab/widgetDoor';
import { BoardPicker } from '../views/picker/picker';

export default {
  render: rendering((door, model) => {
    const board = (): number | null => model.get('board') as number | null;
    const picker = new BoardPicker(door, {
      picked: board(),
      target: model.get('target') as string,
      onPick: picked => {
        model.set('board', picked);
        model.save_changes();
      }
    });
    const changed = (): void => {
      picker.picked = board();
    };
    model.on('change:board', changed);
    return {
      node: picker.node,
      dispose: () => {
        model.off('change:board', changed);
        picker.dispose();
      }
    };
  })
};
