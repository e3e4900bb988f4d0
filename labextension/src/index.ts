import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { boardsPlugin } from './boards/plugin';
import { outputsPlugin } from './outputs/plugin';

const plugins: JupyterFrontEndPlugin<void>[] = [boardsPlugin, outputsPlugin];

export default plugins;
