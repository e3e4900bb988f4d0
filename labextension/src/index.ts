import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { commandsPlugin } from './commands/plugin';
import { labPlugin } from './lab/plugin';
import { logsPlugin } from './logs/plugin';
import { outputsPlugin } from './outputs/plugin';
import { sidebarPlugin } from './sidebar/plugin';
import { vcdPlugin } from './vcd/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  labPlugin,
  commandsPlugin,
  sidebarPlugin,
  logsPlugin,
  outputsPlugin,
  vcdPlugin
];

export default plugins;
