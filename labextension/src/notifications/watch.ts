import type { TranslationBundle } from '@jupyterlab/translation';

import type { IEvent } from '../lab/events';
import type { ILab, IMySession } from '../lab/model';
import type { IJob } from '../lab/records';
import { whileHolding } from '../lab/ticking';
import { isUnfinished, jobReason, jobTitle, timeLeft } from '../words';

/** What may be done about a notice. */
export interface INoticeAction {
  label: string;
  act: () => void;
}

/** Until it is taken for missed why a session ended, ms: the answer that it has may come before the event that says why. */
const SOON = 1000;

/** What a person is told. */
export interface INotice {
  kind: 'info' | 'success' | 'warning' | 'error';
  message: string;
  actions: INoticeAction[];
}

/** What the settings say. */
export interface INoticeSettings {
  /** Minutes before a session's end at which it is said. */
  expiryMinutes: number[];
  buildEnds: boolean;
  boardLost: boolean;
}

export const USUAL: INoticeSettings = { expiryMinutes: [5, 1], buildEnds: true, boardLost: true };

/** What the watch needs of JupyterLab. */
export interface ISurroundings {
  /** Tell; returns a function that takes it back. */
  tell: (notice: INotice) => () => void;
  renew: (fpgaId: number) => void;
  release: (fpgaId: number) => void;
  showLog: (jobId: string) => void;
  /** What the person looks at: a tab's id; `null` while the page is hidden. */
  lookedAt: () => string | null;
  /** Remembers what was said, also over a reload. */
  said: { has: (what: string) => boolean; add: (what: string) => void };
}

/** Tells a person what happens to their boards and builds while they look elsewhere; each thing once. */
export class Watch {
  constructor(
    private readonly lab: ILab,
    private readonly trans: TranslationBundle,
    private readonly around: ISurroundings
  ) {
    this._end = whileHolding(lab, () => {
      this._look();
    });
    lab.jobsChanged.connect(this._jobsChanged, this);
    lab.happened.connect(this._happened, this);
    this._jobsChanged(
      lab,
      lab.jobs.map(job => job.job_id)
    );
  }

  settings: INoticeSettings = USUAL;

  dispose(): void {
    this._end();
    this._unexplained.forEach(clearTimeout);
    this.lab.jobsChanged.disconnect(this._jobsChanged, this);
    this.lab.happened.disconnect(this._happened, this);
  }

  /** The sessions, now and every second. */
  private _look(): void {
    const { lab } = this;
    const now = new Map(lab.sessions.map(session => [session.session_id, session]));
    for (const session of now.values()) {
      this._expiry(session);
      this._registers(session);
    }
    for (const [id, { fpga_id }] of this._sessions) {
      if (!now.has(id)) {
        this._takeBack(id);
        if (this._reasons.has(fpga_id)) {
          this._ended(fpga_id);
        } else {
          this._unexplained.set(
            fpga_id,
            setTimeout(() => {
              this._ended(fpga_id);
            }, SOON)
          );
        }
      }
    }
    this._sessions = now;
  }

  private _expiry(session: IMySession): void {
    const seconds = this.lab.secondsLeft(session);
    const passed = this.settings.expiryMinutes.filter(minutes => seconds <= minutes * 60);
    if (passed.length === 0) {
      // Renewed, perhaps.
      this._takeBack(session.session_id);
      return;
    }
    const about = `${session.session_id} ${session.expires_at} ${Math.min(...passed)}`;
    if (seconds <= 0 || this.around.said.has(about)) {
      return;
    }
    this.around.said.add(about);
    this._takeBack(session.session_id);
    const { trans, around } = this;
    const takeBack = around.tell({
      kind: 'warning',
      message: trans.__('Your session on board %1 ends in %2.', session.fpga_id, timeLeft(trans, seconds)),
      actions: [
        {
          label: trans.__('Renew'),
          act: () => {
            around.renew(session.fpga_id);
          }
        },
        {
          label: trans.__('Release'),
          act: () => {
            around.release(session.fpga_id);
          }
        }
      ]
    });
    this._shown.set(session.session_id, takeBack);
  }

  /** Whoever comes later, by another tab or a reload, is told as well: what was set is no longer so. */
  private _registers({ session_id, fpga_id, registers_lost_at: lost }: IMySession): void {
    const about = `${session_id} lost ${lost ?? ''}`;
    if (!lost || !this.settings.boardLost || this.around.said.has(about)) {
      return;
    }
    this.around.said.add(about);
    const message = this.trans.__(
      'The lab was restarted and had to program board %1 again: what was in its registers is lost, and they are as they are after a reset.',
      fpga_id
    );
    this.around.tell({ kind: 'warning', message, actions: [] });
  }

  private _takeBack(sessionId: string): void {
    this._shown.get(sessionId)?.();
    this._shown.delete(sessionId);
  }

  /** A session of one's own is gone: why was said by an event, unless that was missed. */
  private _ended(fpgaId: number): void {
    const reason = this._reasons.get(fpgaId);
    this._reasons.delete(fpgaId);
    clearTimeout(this._unexplained.get(fpgaId));
    this._unexplained.delete(fpgaId);
    const { trans } = this;
    const messages: Record<string, string | undefined> = {
      kicked: trans.__('An operator has taken board %1 from you.', fpgaId),
      reset: trans.__('An operator has reset board %1, and your session on it has ended.', fpgaId),
      expired: trans.__('Your session on board %1 has ended: its time was over.', fpgaId),
      board_failed: trans.__('Board %1 has failed, and your session on it has ended.', fpgaId),
      board_removed: trans.__('Board %1 was taken out of the lab, and your session on it has ended.', fpgaId),
      missed: trans.__('Your session on board %1 has ended while the lab was away.', fpgaId)
    };
    const message = messages[reason ?? 'missed'];
    if (message !== undefined && this.settings.boardLost) {
      this.around.tell({ kind: reason === 'board_failed' ? 'error' : 'warning', message, actions: [] });
    }
  }

  private _happened(_: ILab, event: IEvent): void {
    if (event.kind === 'session_ended' && typeof event.fpga_id === 'number' && event.owner === this.lab.me?.name) {
      // What one does oneself is nothing to tell.
      this._reasons.set(event.fpga_id, event.by === event.owner ? 'oneself' : (event.reason ?? ''));
      if (this._unexplained.has(event.fpga_id)) {
        this._ended(event.fpga_id);
      }
    }
  }

  private _jobsChanged(_: ILab, changed: readonly string[]): void {
    for (const id of changed) {
      const job = this.lab.job(id);
      if (job === undefined || job.type === 'reset') {
        continue;
      }
      if (isUnfinished(job)) {
        if (!this._begun.has(id)) {
          // Whoever runs a cell looks at its notebook.
          this._begun.set(id, this.around.lookedAt());
        }
      } else if (this._begun.has(id)) {
        const from = this._begun.get(id) ?? null;
        this._begun.delete(id);
        const looking = this.around.lookedAt();
        if (this.settings.buildEnds && job.status !== 'cancelled' && (looking === null || looking !== from)) {
          this._built(job);
        }
      }
    }
  }

  private _built(job: IJob): void {
    const { trans, around } = this;
    const title = jobTitle(trans, job);
    const failed = job.status === 'failed';
    let message = trans.__('%1: done.', title);
    if (failed) {
      message = trans.__('%1 has failed: %2', title, jobReason(job));
    } else if (job.type === 'build_and_program' && job.fpga_id !== null) {
      message = trans.__('Board %1 runs your design.', job.fpga_id);
    }
    around.tell({
      kind: failed ? 'error' : 'success',
      message,
      actions: [
        {
          label: trans.__('Show log'),
          act: () => {
            around.showLog(job.job_id);
          }
        }
      ]
    });
  }

  private readonly _end: () => void;
  /** One's sessions as they were a moment ago. */
  private _sessions = new Map<string, IMySession>();
  /** Of a session, how to take back the notice that is shown. */
  private readonly _shown = new Map<string, () => void>();
  /** Of a board, why one's session ended, until it is seen that it did. */
  private readonly _reasons = new Map<number, string>();
  /** Boards of which one's session has ended, and nothing has said why yet. */
  private readonly _unexplained = new Map<number, ReturnType<typeof setTimeout>>();
  /** Of a build that isn't done, what the person looked at when it began. */
  private readonly _begun = new Map<string, string | null>();
}
