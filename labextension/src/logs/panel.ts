import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { Message } from '@lumino/messaging';

import type { ILab } from '../lab/model';
import type { IJob } from '../lab/records';
import { LogView } from '../views/log';
import { isUnfinished, jobProgress, jobTitle } from '../words';
import { LogStream } from './stream';

/** The log of one job in a tab of its own, from its first line to its last. */
export class LogPanel extends Widget {
  constructor(
    private readonly lab: ILab,
    readonly jobId: string,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-FpgaLogPanel');
    this._head.className = 'jp-FpgaLogPanel-head';
    this._head.setAttribute('role', 'status');
    this._view = new LogView({
      trans,
      label: trans.__('Log of job %1', jobId)
    });
    this.node.append(this._head, this._view.node);
    this._stream = new LogStream(lab.door, jobId, {
      onText: text => {
        this._trouble = '';
        this._view.append(text);
      },
      onEnd: () => {
        this._trouble = '';
        this._tell();
      },
      onTrouble: error => {
        this._trouble = error.message;
        this._tell();
        if (lab.connection === 'live' && error.code === 'no_answer') {
          // Cut off alone, by a proxy that thinks that a quiet answer is over.
          this._again = setTimeout(() => void this._stream.read(), 1000);
        }
      }
    });
    lab.connectionChanged.connect(this._connected, this);
    lab.jobsChanged.connect(this._jobsChanged, this);
    this._jobsChanged();
    void this._learn();
    void this._stream.read();
  }

  override dispose(): void {
    this._stream.close();
    clearTimeout(this._again);
    this._view.dispose();
    this.lab.connectionChanged.disconnect(this._connected, this);
    this.lab.jobsChanged.disconnect(this._jobsChanged, this);
    super.dispose();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._view.node.querySelector<HTMLElement>('[role=log]')?.focus();
  }

  /** An old job is in no list. */
  private async _learn(): Promise<void> {
    if (this._job === null) {
      try {
        this._job = await this.lab.door.request<IJob>('GET', `jobs/${this.jobId}`);
      } catch {
        // The log itself says what there is to say.
        return;
      }
      this._tell();
    }
  }

  private _connected(): void {
    if (this.lab.connection === 'live') {
      void this._learn();
      void this._stream.read();
    }
  }

  private _jobsChanged(): void {
    this._job = this.lab.job(this.jobId) ?? this._job;
    this._tell();
  }

  private _tell(): void {
    const { trans, _job: job } = this;
    if (job !== null) {
      this.title.label = trans.__('Log: %1', jobTitle(trans, job));
      this.node.dataset.status = job.status;
      const retrying = isUnfinished(job) && this._trouble !== '';
      const said = [jobTitle(trans, job), jobProgress(trans, job), retrying ? this._trouble : ''];
      this._head.textContent = said.filter(part => part !== '').join(' · ');
    } else {
      this._head.textContent = this._trouble;
    }
  }

  private readonly _head = document.createElement('p');
  private readonly _view: LogView;
  private readonly _stream: LogStream;
  private _job: IJob | null = null;
  private _trouble = '';
  private _again: ReturnType<typeof setTimeout> | undefined;
}
