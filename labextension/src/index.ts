import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { commandsPlugin } from './commands/plugin';
import { dashboardPlugin } from './dashboard/plugin';
import { labPlugin } from './lab/plugin';
import { launcherPlugin } from './launcher/plugin';
import { logsPlugin } from './logs/plugin';
import { notificationsPlugin } from './notifications/plugin';
import { outputsPlugin } from './outputs/plugin';
import { sidebarPlugin } from './sidebar/plugin';
import { statusBarPlugin } from './statusbar/plugin';
import { vcdPlugin } from './vcd/plugin';
import { versionPlugin } from './version/plugin';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  labPlugin,
  commandsPlugin,
  sidebarPlugin,
  statusBarPlugin,
  notificationsPlugin,
  logsPlugin,
  dashboardPlugin,
  launcherPlugin,
  versionPlugin,
  outputsPlugin,
  vcdPlugin
];

export default plugins;
