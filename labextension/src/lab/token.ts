import { Token } from '@lumino/coreutils';

import type { ILab } from './model';

/** The lab, for plugins of this and of other extensions. */
export const ILabToken = new Token<ILab>(
  'jupyter-fpga:ILab',
  'The FPGA lab behind this server: its boards, and one’s sessions and jobs, as they are now.'
);
