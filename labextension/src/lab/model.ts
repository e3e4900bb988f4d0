import { Signal, type ISignal } from '@lumino/signaling';

import { allBoards, allJobs, someBoards, someJobs, TYPES } from './asking';
import { LabClock } from './clock';
import type { IStreamingDoor } from './door';
import { followEvents, type IEvent } from './events';
import { Gathering } from './gathering';
import { Kept, type IFound } from './kept';
import { isOperator, type IBoard, type IJob, type IMe, type ISession } from './records';

/** Whether the lab is there: not yet known, there, or away and called again and again. */
export type Connection = 'starting' | 'live' | 'lost';

/** A board that one holds. */
export interface IMySession extends ISession {
  session_id: string;
  fpga_id: number;
}

/** The lab as all panels see it: kept up by its events, asked only for what has changed. */
export interface ILab {
  readonly door: IStreamingDoor;
  readonly connection: Connection;
  /** What the lab said last that was no answer; empty while all is well. */
  readonly trouble: string;
  /** Who one is, once the lab has said so. */
  readonly me: IMe | null;
  /** Whether one may touch what others hold. */
  readonly isOperator: boolean;
  /** By number. */
  readonly boards: readonly IBoard[];
  /** Those boards that one holds. */
  readonly sessions: readonly IMySession[];
  /** One's builds and resets, the newest first. */
  readonly jobs: readonly IJob[];

  board(fpgaId: number): IBoard | undefined;
  job(jobId: string): IJob | undefined;
  /** How long one still has a board, by the lab's own clock. */
  secondsLeft(session: ISession): number;
  /** The lab's time, ms since 1970. */
  now(): number;

  readonly connectionChanged: ISignal<ILab, Connection>;
  /** Numbers of boards that are otherwise than before, their sessions included. */
  readonly boardsChanged: ISignal<ILab, readonly number[]>;
  /** Jobs that are otherwise than before. */
  readonly jobsChanged: ISignal<ILab, readonly string[]>;
  /** An event, before anything was asked because of it. */
  readonly happened: ISignal<ILab, IEvent>;

  renew(fpgaId: number): Promise<void>;
  release(fpgaId: number): Promise<void>;
  reset(fpgaId: number): Promise<void>;
  /** Take a board from its holder. For operators, as the two that follow. */
  kick(fpgaId: number): Promise<void>;
  /** Take a board out of service, until it is cleared. */
  quarantine(fpgaId: number, reason: string): Promise<void>;
  /** Return a board to service: the lab resets it. */
  clear(fpgaId: number): Promise<void>;
  cancel(jobId: string): Promise<void>;
}

/** Jobs that are kept. */
const KEPT = 100;

/** Before a question that failed is asked again, ms. */
const AGAIN = 2000;

/** The names of what is asked for anew. */
type Stale = 'everything' | `board ${number}` | `job ${string}`;

/** See {@link ILab}. It follows the lab from its making until it is disposed of. */
export class Lab implements ILab {
  constructor(readonly door: IStreamingDoor) {
    this._end = followEvents(door, {
      onReady: () => {
        this._last = null;
        this._gathering.add('everything');
      },
      onEvent: event => {
        this._happen(event);
      },
      onLost: () => {
        this._connect('lost', '');
      }
    });
  }

  get connection(): Connection {
    return this._connection;
  }

  get trouble(): string {
    return this._trouble;
  }

  get me(): IMe | null {
    return this._me;
  }

  get isOperator(): boolean {
    return this._me !== null && isOperator(this._me);
  }

  get boards(): readonly IBoard[] {
    return this._boards.all;
  }

  get jobs(): readonly IJob[] {
    return this._jobs.all;
  }

  get sessions(): readonly IMySession[] {
    return this._boards.all.flatMap(({ fpga_id, session }) =>
      session?.session_id ? [{ ...session, session_id: session.session_id, fpga_id }] : []
    );
  }

  get connectionChanged(): ISignal<ILab, Connection> {
    return this._connectionChanged;
  }

  get boardsChanged(): ISignal<ILab, readonly number[]> {
    return this._boardsChanged;
  }

  get jobsChanged(): ISignal<ILab, readonly string[]> {
    return this._jobsChanged;
  }

  get happened(): ISignal<ILab, IEvent> {
    return this._happened;
  }

  board(fpgaId: number): IBoard | undefined {
    return this._boards.get(fpgaId);
  }

  job(jobId: string): IJob | undefined {
    return this._jobs.get(jobId);
  }

  secondsLeft(session: ISession): number {
    return this._clock.secondsUntil(session.expires_at);
  }

  now(): number {
    return this._clock.now();
  }

  async renew(fpgaId: number): Promise<void> {
    await this.door.request('POST', `fpga/${fpgaId}/session/renew`);
  }

  async release(fpgaId: number): Promise<void> {
    await this.door.request('POST', `fpga/${fpgaId}/session/release`);
  }

  async reset(fpgaId: number): Promise<void> {
    await this.door.request('POST', `fpga/${fpgaId}/reset`);
  }

  async kick(fpgaId: number): Promise<void> {
    await this.door.request('POST', `fpga/${fpgaId}/session/kick`);
  }

  async quarantine(fpgaId: number, reason: string): Promise<void> {
    await this.door.request('POST', `fpga/${fpgaId}/quarantine`, { reason });
  }

  async clear(fpgaId: number): Promise<void> {
    await this.door.request('POST', `fpga/${fpgaId}/clear`);
  }

  async cancel(jobId: string): Promise<void> {
    await this.door.request('DELETE', `jobs/${jobId}`);
  }

  dispose(): void {
    this._end();
    clearTimeout(this._again);
    this._gathering.close();
    Signal.clearData(this);
  }

  private _happen(event: IEvent): void {
    const missed = this._last !== null && event.prev !== this._last;
    this._last = event.lsn;
    if (missed) {
      this._gathering.add('everything');
    }
    if (event.kind === 'watermark') {
      return;
    }
    if (event.time) {
      this._clock.hear(event.time);
    }
    this._happened.emit(event);
    const isMine = event.owner === undefined || event.owner === this._me?.name;
    if (typeof event.fpga_id === 'number' && !event.kind.startsWith('job_')) {
      // A board that moves lets the jobs that wait for one move up, which no event of theirs tells.
      const waiting = this._jobs.all.filter(job => job.status === 'queued').map(job => `job ${job.job_id}` as const);
      this._gathering.add(`board ${event.fpga_id}`, ...waiting);
    }
    if (event.kind === 'job_status' && event.job_id && isMine && TYPES.includes(event.type ?? '')) {
      this._gathering.add(`job ${event.job_id}`);
    }
  }

  private async _ask(stale: ReadonlySet<Stale>): Promise<void> {
    if (stale.has('everything')) {
      await this._askAll();
      return;
    }
    const names = [...stale].map(name => name.split(' ', 2));
    const [boards, jobs] = ['board', 'job'].map(kind => names.filter(name => name[0] === kind).map(name => name[1]));
    await Promise.all([
      this._takeBoards(someBoards(this.door, boards)),
      this._takeJobs(someJobs(this.door, jobs, this._me))
    ]);
  }

  private async _askAll(): Promise<void> {
    this._me = await this.door.request<IMe>('GET', 'me');
    await Promise.all([
      this._takeJobs(allJobs(this.door, this._me)),
      this._takeBoards(allBoards(this.door))
    ]);
    this._connect('live', '');
  }

  private async _takeBoards(asked: Promise<IFound<IBoard>>): Promise<void> {
    const found = await asked;
    for (const { session } of found.records) {
      if (session) {
        this._clock.learn(session.expires_at, session.remaining_seconds);
      }
    }
    const changed = this._boards.take(found);
    if (changed.length > 0) {
      this._boardsChanged.emit(changed);
    }
  }

  private async _takeJobs(asked: Promise<IFound<IJob>>): Promise<void> {
    const changed = this._jobs.take(await asked);
    if (changed.length > 0) {
      this._jobsChanged.emit(changed);
    }
  }

  private _connect(connection: Connection, trouble: string): void {
    if (connection !== this._connection || trouble !== this._trouble) {
      this._connection = connection;
      this._trouble = trouble;
      this._connectionChanged.emit(connection);
    }
  }

  private _fail(error: unknown): void {
    this._connect(this._connection, error instanceof Error ? error.message : String(error));
    // A lab that has just been started may not be ready yet. One that is gone says so by the loss of its events.
    clearTimeout(this._again);
    this._again = setTimeout(() => {
      this._gathering.add('everything');
    }, AGAIN);
  }

  private readonly _clock = new LabClock();
  private readonly _gathering = new Gathering<Stale>(
    stale => this._ask(stale),
    error => {
      this._fail(error);
    }
  );
  private readonly _boards = new Kept<number, IBoard>(
    board => board.fpga_id,
    boardFace,
    (one, other) => one.fpga_id - other.fpga_id
  );
  private readonly _jobs = new Kept<string, IJob>(
    job => job.job_id,
    job => JSON.stringify(job),
    (one, other) => other.lsn - one.lsn,
    KEPT
  );
  private readonly _connectionChanged = new Signal<ILab, Connection>(this);
  private readonly _boardsChanged = new Signal<ILab, readonly number[]>(this);
  private readonly _jobsChanged = new Signal<ILab, readonly string[]>(this);
  private readonly _happened = new Signal<ILab, IEvent>(this);
  private readonly _end: () => void;
  private _connection: Connection = 'starting';
  private _trouble = '';
  private _again: ReturnType<typeof setTimeout> | undefined;
  private _me: IMe | null = null;
  /** The event that was seen last. */
  private _last: number | null = null;
}

/** A board without what changes by itself. */
function boardFace(board: IBoard): string {
  const { session, ...rest } = board;
  return JSON.stringify([rest, session && [session.session_id, session.owner, session.expires_at, session.registers_lost_at]]);
}
