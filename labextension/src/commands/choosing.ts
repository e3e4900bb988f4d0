import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ILab } from '../lab/model';

/** Which board is meant: the only one that one holds, or the one that is chosen; `null` for none. */
export async function chooseBoard(lab: ILab, trans: TranslationBundle, title: string): Promise<number | null> {
  const { sessions } = lab;
  if (sessions.length === 0) {
    Notification.info(trans.__('You hold no board.'), { autoClose: 5000 });
    return null;
  }
  if (sessions.length === 1) {
    return sessions[0].fpga_id;
  }
  const items = sessions.map(session => trans.__('Board %1', session.fpga_id));
  const { value } = await InputDialog.getItem({ title, items });
  const chosen = items.indexOf(value ?? '');
  return chosen < 0 ? null : sessions[chosen].fpga_id;
}
