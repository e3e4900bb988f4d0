import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, listIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands/ids';
import { shapeIcon, type Shape } from '../icons';
import type { ILab } from '../lab/model';
import type { IJob } from '../lab/records';
import { isUnfinished, jobProgress, jobTitle } from '../words';
import { Rows, type IRow } from './rows';
import { secondLine, span } from './text';

const SHAPES: Record<string, Shape> = {
  queued: 'waiting',
  running: 'running',
  complete: 'done',
  failed: 'failed',
  cancelled: 'cancelled'
};

/** One's builds and resets, the newest first: how far they are. */
export class JobsSection extends Widget {
  constructor(lab: ILab, commands: CommandRegistry, trans: TranslationBundle) {
    super();
    this._lab = lab;
    this._commands = commands;
    this._trans = trans;
    this.addClass('jp-FpgaSection');
    this._rows = new Rows(trans.__('My jobs'), trans.__('Nothing was built yet.'));
    this.node.append(this._rows.node);
    lab.jobsChanged.connect(this._show, this);
    this._show();
  }

  override dispose(): void {
    this._lab.jobsChanged.disconnect(this._show, this);
    super.dispose();
  }

  private _show(): void {
    this._rows.show(this._lab.jobs.map(job => this._row(job)));
  }

  private _row(job: IJob): IRow {
    const trans = this._trans;
    const run = (command: string) => () => {
      void this._commands.execute(command, { job_id: job.job_id });
    };
    const title = jobTitle(trans, job);
    const progress = jobProgress(trans, job);
    const cancellable = isUnfinished(job) && job.type !== 'reset';
    return {
      key: job.job_id,
      face: JSON.stringify([title, progress, job.updated_at]),
      data: { jobId: job.job_id, status: job.status, look: SHAPES[job.status] },
      content: () => [
        shapeIcon(SHAPES[job.status]),
        span('jp-FpgaRows-title', title),
        span('jp-FpgaRows-state', new Date(job.created_at).toLocaleTimeString([], { timeStyle: 'short' })),
        secondLine([progress], progress)
      ],
      actions: () => [
        {
          label: trans.__('Show the log of “%1”', title),
          icon: container => listIcon.element({ container, tag: 'span' }),
          act: run(CommandIDs.showLog)
        },
        ...(cancellable
          ? [
              {
                label: trans.__('Cancel “%1”', title),
                icon: (container: HTMLElement) => closeIcon.element({ container, tag: 'span' }),
                act: run(CommandIDs.cancelJob)
              }
            ]
          : [])
      ],
      onEnter: run(CommandIDs.showLog),
      onDelete: cancellable ? run(CommandIDs.cancelJob) : undefined
    };
  }

  private readonly _lab: ILab;
  private readonly _commands: CommandRegistry;
  private readonly _trans: TranslationBundle;
  private readonly _rows: Rows;
}
