import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { CommandRegistry } from '@lumino/commands';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { FIRST_DESIGN, magicLine, withBoard } from './cell';

/** Make a notebook whose first cells get a board and use it. */
export async function newNotebook(
  commands: CommandRegistry,
  fpgaId: number | null,
  cwd: string | undefined
): Promise<void> {
  const panel = (await commands.execute('notebook:create-new', { kernelName: 'python3', cwd })) as NotebookPanel;
  await panel.context.ready;
  await panel.revealed;
  const { content } = panel;
  const cells = ['%load_ext jupyter_fpga', `${magicLine(fpgaId)}\n${FIRST_DESIGN}`, 'pwm.regs.duty = 40', 'pwm.regs'];
  content.model?.cells.get(0).sharedModel.setSource(cells[0]);
  content.model?.sharedModel.insertCells(
    1,
    cells.slice(1).map(source => ({ cell_type: 'code', source }))
  );
  content.activeCellIndex = 0;
  content.mode = 'command';
  // The keys go to the notebook from now on.
  content.activate();
}

/** Let the current cell ask for a board; when it is no cell of a design, add one that does. */
export async function pickBoard(
  commands: CommandRegistry,
  shell: JupyterFrontEnd.IShell,
  tracker: INotebookTracker | null,
  fpgaId: number,
  cwd: string | undefined
): Promise<void> {
  const panel = tracker?.currentWidget ?? null;
  if (panel === null) {
    await newNotebook(commands, fpgaId, cwd);
    return;
  }
  const { content } = panel;
  const shared = content.activeCell?.model.sharedModel;
  const changed = shared === undefined ? null : withBoard(shared.getSource(), fpgaId);
  if (changed !== null) {
    shared?.setSource(changed);
  } else {
    NotebookActions.insertBelow(content);
    content.activeCell?.model.sharedModel.setSource(`${magicLine(fpgaId)}\n${FIRST_DESIGN}`);
  }
  shell.activateById(panel.id);
  content.activate();
}
