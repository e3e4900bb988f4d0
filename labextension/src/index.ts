import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { boardsPlugin } from './boardsPlugin';

const plugins: JupyterFrontEndPlugin<void>[] = [boardsPlugin];

export default plugins;
