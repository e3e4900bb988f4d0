import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { chipIcon } from '../icons';
import type { ILab } from '../lab/model';
import { ILabToken } from '../lab/token';
import { chooseBoard } from './choosing';
import { tellFailure } from './failure';
import { CommandIDs } from './ids';
import { newNotebook, pickBoard } from './notebooks';
import { addOperatorCommands } from './operators';
import { boardId, jobId } from './rows';

/** Those that are only about one row of a list make no sense in the palette. */
const OF_ROWS: string[] = [
  CommandIDs.pick,
  CommandIDs.cancelJob,
  CommandIDs.takeBack,
  CommandIDs.quarantine,
  CommandIDs.clear
];

/** What one may do with boards and jobs, as commands. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-fpga:commands',
  description: 'Commands that pick, renew, release and reset boards, cancel jobs and make a first notebook.',
  autoStart: true,
  optional: [ILabToken, ITranslator, ICommandPalette, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    lab: ILab | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null
  ) => {
    if (lab === null) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyter_fpga');
    new Commands(app, lab, trans, notebooks).add();
    addOperatorCommands(app, lab, trans);
    for (const command of Object.values(CommandIDs)) {
      if (!OF_ROWS.includes(command)) {
        palette?.addItem({ command, category: trans.__('FPGA Lab') });
      }
    }
  }
};

class Commands {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly lab: ILab,
    private readonly trans: TranslationBundle,
    private readonly notebooks: INotebookTracker | null
  ) {}

  add(): void {
    const { trans, lab } = this;
    this.aboutBoard(CommandIDs.release, trans.__('Release Board'), trans.__('Release which board?'), id =>
      lab.release(id)
    );
    this.aboutBoard(CommandIDs.renew, trans.__('Renew Board Session'), trans.__('Renew which session?'), id =>
      lab.renew(id)
    );
    this.aboutBoard(CommandIDs.reset, trans.__('Reset Board'), trans.__('Reset which board?'), id => lab.reset(id));
    this.aboutBoard(CommandIDs.pick, trans.__('Use in Notebook'), trans.__('Use which board?'), id =>
      pickBoard(this.app.commands, this.app.shell, this.notebooks, id, this.folder({}))
    );
    this.app.commands.addCommand(CommandIDs.cancelJob, {
      label: trans.__('Cancel Job'),
      isEnabled: args => this.isCancellable(jobId(this.app, args)),
      execute: async args => {
        const id = jobId(this.app, args);
        if (id !== null) {
          await tellFailure(lab.cancel(id));
        }
      }
    });
    this.app.commands.addCommand(CommandIDs.newNotebook, {
      label: args => (args['isPalette'] ? trans.__('New FPGA Notebook') : trans.__('FPGA Notebook')),
      caption: trans.__('A notebook with a first design, which runs on a board of the lab'),
      icon: chipIcon,
      execute: args =>
        newNotebook(this.app.commands, typeof args['fpga_id'] === 'number' ? args['fpga_id'] : null, this.folder(args))
    });
  }

  private aboutBoard(command: string, label: string, question: string, act: (id: number) => Promise<void>): void {
    this.app.commands.addCommand(command, {
      label,
      execute: async args => {
        const id = boardId(this.app, args) ?? (await chooseBoard(this.lab, this.trans, question));
        if (id !== null) {
          await tellFailure(act(id));
        }
      }
    });
  }

  private isCancellable(id: string | null): boolean {
    const job = id === null ? undefined : this.lab.job(id);
    return job !== undefined && job.type !== 'reset' && (job.status === 'queued' || job.status === 'running');
  }

  private folder(args: ReadonlyPartialJSONObject): string | undefined {
    return typeof args['cwd'] === 'string' ? args['cwd'] : undefined;
  }
}
