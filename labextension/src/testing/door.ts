import { Refusal, type IStreamingDoor } from '../lab/door';
import type { IEvent } from '../lab/events';
import type { IBoard, IJob } from '../lab/records';
import { FakeSocket, settle } from './fakeDoor';

export { settle as settled };

/** The border between the browser and the lab, with the test as the lab. */
export class FakeDoor implements IStreamingDoor {
  readonly pace = 0;
  /** What was asked: `GET fpga/0`. */
  readonly asked: string[] = [];
  readonly sockets: FakeSocket[] = [];
  boards: IBoard[] = [];
  jobs: IJob[] = [];
  /** Other answers, by what is asked; a function is called. */
  readonly answers: Record<string, unknown> = {
    'GET me': { name: 'ada', roles: ['student'] },
    'GET version': { name: 'jupyter_fpga', version: '0.1.0' }
  };
  /** Pieces of logs, by path. */
  readonly texts: Record<string, AsyncIterable<string>> = {};
  /** Nobody answers. */
  away = false;

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const asked = `${method} ${path}`;
    this.asked.push(body === undefined ? asked : `${asked} ${JSON.stringify(body)}`);
    await Promise.resolve();
    if (this.away) {
      throw new Refusal('no_answer', 'The Jupyter server does not answer.');
    }
    return this._answer(asked) as T;
  }

  async *pieces(path: string): AsyncGenerator<string> {
    this.asked.push(`GET ${path}`);
    yield* this.texts[path] ?? [];
  }

  socket(path: string, query: Record<string, string | number | undefined> = {}): FakeSocket {
    const socket = new FakeSocket(path, query);
    this.sockets.push(socket);
    return socket;
  }

  /** The newest socket. */
  get live(): FakeSocket {
    return this.sockets[this.sockets.length - 1];
  }

  /** An event comes, right behind the one before it unless it says otherwise. */
  tell(event: Partial<IEvent>): void {
    const prev = this._lsn;
    this._lsn += 1;
    this.live.say(JSON.stringify({ prev, lsn: this._lsn, ...event }));
  }

  private _answer(asked: string): unknown {
    if (asked in this.answers) {
      const answer = this.answers[asked];
      return typeof answer === 'function' ? (answer as () => unknown)() : answer;
    }
    const found = /^GET (fpga|jobs)(?:\/([^/?]+))?(?:\?.*)?$/.exec(asked);
    if (found === null) {
      return null;
    }
    const [, path, id] = found as unknown as [string, string, string | undefined];
    const list = path === 'fpga' ? this.boards : this.jobs;
    if (id === undefined) {
      const type = /type=(\w+)/.exec(asked)?.[1];
      return this._copy(path === 'fpga' ? list : this.jobs.filter(job => job.type === type));
    }
    const one = list.find(each => String('job_id' in each ? each.job_id : each.fpga_id) === id);
    if (one === undefined) {
      throw new Refusal(`${path}_not_found`, `There is no ${id}.`, 404);
    }
    return this._copy(one);
  }

  private _copy(value: unknown): unknown {
    return JSON.parse(JSON.stringify(value)) as unknown;
  }

  private _lsn = 0;
}

/** A board that is free, or else what is said. */
export function board(fpgaId: number, more: Partial<IBoard> = {}): IBoard {
  return {
    fpga_id: fpgaId,
    state: 'idle',
    target: 'simulated',
    tags: [],
    health: 'ok',
    owner: null,
    session: null,
    current_job_id: null,
    ...more
  };
}

/** A board of one's own, for so many seconds. */
export function held(fpgaId: number, seconds: number, session = `session-${fpgaId}`): IBoard {
  return board(fpgaId, {
    state: 'reserved',
    owner: 'ada',
    session: {
      session_id: session,
      owner: 'ada',
      expires_at: new Date(Date.now() + seconds * 1000).toISOString(),
      remaining_seconds: seconds
    }
  });
}

/** A board of somebody else's. */
export function heldBy(owner: string, fpgaId: number): IBoard {
  const { session, ...rest } = held(fpgaId, 600);
  return { ...rest, owner, session: session && { ...session, session_id: null, owner } };
}

/** A build that waits, or else what is said. */
export function job(jobId: string, lsn: number, more: Partial<IJob> = {}): IJob {
  return {
    job_id: jobId,
    fpga_id: null,
    type: 'build_and_program',
    status: 'queued',
    stage: null,
    build_stage: null,
    owner: 'ada',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    lsn,
    position: null,
    eta_seconds: null,
    error: null,
    ...more
  };
}
