/** The way to the lab that a notebook widget takes: its page's, or through the kernel where the page has none. */

import type { IModel } from '../anywidget';
import { pageDoor } from './pageDoor';
import { RelayDoor } from './relayDoor';
import type { IDoor } from './door';

/**
 * The lab of a widget's model.
 *
 * The kernel says by the trait `served` whether its lab is that of the Jupyter server that started it, which is the
 * server of this page, if this is a Jupyter server's page at all.
 */
export function widgetDoor(model: IModel): IDoor {
  const own = model.get('served') === true ? pageDoor() : null;
  return own ?? new RelayDoor(model);
}
