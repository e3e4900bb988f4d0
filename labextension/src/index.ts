import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { boardsPlugin } from './boards/plugin';
import { vcdPlugin } from './vcd/plugin';

const plugins: JupyterFrontEndPlugin<void>[] = [boardsPlugin, vcdPlugin];

export default plugins;
