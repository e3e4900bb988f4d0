/** The way to the lab that a notebook widget takes: its page's, or through the kernel where the page has none. */

import type { IModel } from '../anywidget';
import { pageDoor } from './pageDoor';
import { RelayDoor } from './relayDoor';
import type { IDoor, IStreamingDoor } from './door';

/**
 * The page's own way to the lab of a widget's model; `null` where it has none.
 *
 * The kernel says by the trait `served` whether its lab is that of the Jupyter server that started it, which is the
 * server of this page, if this is a Jupyter server's page at all.
 */
export function ownDoor(model: IModel): IStreamingDoor | null {
  return model.get('served') === true ? pageDoor() : null;
}

/** The way to the lab of a widget's model. */
export function widgetDoor(model: IModel): IDoor {
  return ownDoor(model) ?? new RelayDoor(model);
}
