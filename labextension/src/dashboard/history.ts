import { Signal, type ISignal } from '@lumino/signaling';

import type { IEvent } from '../lab/events';
import type { ILab } from '../lab/model';
import type { IActionRecord } from './records';

/** An action from its acceptance to its end; times are the lab's, ms since 1970. */
export interface IAction {
  lsn: number;
  function: string;
  worker: string;
  owner: string;
  state: 'pending' | 'running' | 'completed' | 'failed' | 'abandoned' | 'cancelled';
  began: number | null;
  ended: number | null;
}

/** How long an action is remembered after its end, ms; and how many are at most. */
const REMEMBERED = 5 * 60_000;
const MOST = 3000;

const STATES: Record<string, IAction['state'] | undefined> = {
  accepted: 'pending',
  submitted: 'pending',
  retried: 'pending',
  retracted: 'pending',
  recovered: 'pending',
  started: 'running',
  begun: 'running',
  completed: 'completed',
  failed: 'failed',
  abandoned: 'abandoned',
  cancelled: 'cancelled'
};

/** What the lab's workers have been doing, told by its events alone. */
export class ActionHistory {
  constructor(private readonly lab: ILab) {
    lab.happened.connect(this._happened, this);
  }

  /** Something has begun or ended. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Those that began since `since`, or have not ended, oldest first. */
  since(since: number): IAction[] {
    return [...this._actions.values()].filter(
      action => action.began !== null && (action.ended === null || action.ended >= since)
    );
  }

  get running(): IAction[] {
    return [...this._actions.values()].filter(action => action.state === 'running');
  }

  get waiting(): number {
    return [...this._actions.values()].filter(action => action.state === 'pending').length;
  }

  /** What the lab says is unfinished, for whoever came later than it began. */
  take(records: IActionRecord[]): void {
    const unfinished = new Set(records.map(record => record.lsn));
    for (const action of this._actions.values()) {
      if (action.ended === null && !unfinished.has(action.lsn)) {
        // It ended while nobody listened.
        this._actions.delete(action.lsn);
      }
    }
    for (const record of records) {
      this._actions.set(record.lsn, {
        lsn: record.lsn,
        function: record.function,
        worker: record.worker,
        owner: record.owner,
        state: record.state === 'running' ? 'running' : 'pending',
        began: record.started_at === null ? null : Date.parse(record.started_at),
        ended: null
      });
    }
    this._changed.emit();
  }

  dispose(): void {
    this.lab.happened.disconnect(this._happened, this);
    Signal.clearData(this);
  }

  private _happened(_: ILab, event: IEvent): void {
    const cause = event.kind.startsWith('action_') ? event.kind.slice('action_'.length) : '';
    const state = STATES[cause];
    if (state === undefined) {
      return;
    }
    const lsn = event.action_lsn ?? event.lsn;
    const action = this._actions.get(lsn) ?? {
      lsn,
      // Named by its first event only; `take` learns the names of those that were there before.
      function: event.function ?? '',
      worker: event.worker ?? '',
      owner: event.owner ?? '',
      state,
      began: null,
      ended: null
    };
    const time = event.time === undefined ? this.lab.now() : Date.parse(event.time);
    action.state = state;
    if (state === 'pending') {
      action.began = null;
      action.ended = null;
    } else if (state === 'running') {
      action.began = time;
    } else {
      action.ended = time;
    }
    this._actions.set(lsn, action);
    this._forget(time);
    this._changed.emit();
  }

  private _forget(now: number): void {
    for (const action of this._actions.values()) {
      const old = action.ended !== null && action.ended < now - REMEMBERED;
      if (!old && this._actions.size <= MOST) {
        // They are in the order in which they came.
        return;
      }
      if (action.ended !== null) {
        this._actions.delete(action.lsn);
      }
    }
  }

  private readonly _actions = new Map<number, IAction>();
  private readonly _changed = new Signal<this, void>(this);
}

/** Actions in lanes, so that none covers another: as many as were at work at once. */
export function lanesOf(actions: IAction[]): IAction[][] {
  const lanes: IAction[][] = [];
  for (const action of [...actions].sort((one, other) => (one.began ?? 0) - (other.began ?? 0))) {
    const lane = lanes.find(each => {
      const last = each[each.length - 1];
      return last.ended !== null && last.ended <= (action.began ?? 0);
    });
    if (lane) {
      lane.push(action);
    } else {
      lanes.push([action]);
    }
  }
  return lanes;
}
