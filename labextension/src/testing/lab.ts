import { nullTranslator } from '@jupyterlab/translation';

import { Lab } from '../lab/model';
import type { FakeDoor } from './door';
import { settled } from './settled';

export const trans = nullTranslator.load('jupyter_fpga');

/** A lab that is there, with what its door says. */
export async function liveLab(door: FakeDoor): Promise<Lab> {
  const lab = new Lab(door);
  door.live.accept();
  door.tell({ kind: 'watermark' });
  await settled();
  door.asked.length = 0;
  return lab;
}
