import type { IRenderContext } from '../anywidget';
import { widgetDoor } from '../lab/widgetDoor';
import { BoardPicker } from '../views/picker/picker';

function render({ model, el }: IRenderContext): () => void {
  const board = (): number | null => model.get('board') as number | null;
  const picker = new BoardPicker(widgetDoor(model), {
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
  el.append(picker.node);
  return () => {
    model.off('change:board', changed);
    picker.dispose();
  };
}

export default { render };
