import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { boardsPlugin } from './boards/plugin';

const plugins: JupyterFrontEndPlugin<void>[] = [boardsPlugin];

export default plugins;
