/** The way to the lab that a notebook widget takes: its page's, or through the kernel where the page has none. */

import type { IModel, IRenderContext } from '../anywidget';
import { pageDoor } from './pageDoor';
import { RelayDoor } from './relayDoor';
import type { IDoor, IStreamingDoor } from './door';

/** What a widget shows. */
export interface IView {
  readonly node: HTMLElement;
  dispose(): void;
}

/**
 * The page's own way to the lab of a widget's model; `null` where it has none.
 *
 * The kernel says by the trait `served` whether its lab is that of the Jupyter server that started it, which is the
 * server of this page, if this is a Jupyter server's page at all.
 */
export function ownDoor(model: IModel): IStreamingDoor | null {
  return model.get('served') === true ? pageDoor() : null;
}

/**
 * A widget's `render` for a view that reaches the lab.
 *
 * @param make - makes the view.
 */
export function rendering(make: (door: IDoor, model: IModel) => IView): (context: IRenderContext) => () => void {
  return ({ model, el }) => {
    const door = ownDoor(model) ?? new RelayDoor(model);
    const view = make(door, model);
    el.append(view.node);
    return () => {
      view.dispose();
      // The model goes on for other views, and what the kernel says to them isn't for this one.
      if (door instanceof RelayDoor) {
        door.dispose();
      }
    };
  };
}
