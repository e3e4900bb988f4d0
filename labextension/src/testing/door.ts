import { Refusal, type IStreamingDoor } from '../lab/door';
import type { IEvent } from '../lab/events';
import type { IBoard, IJob } from '../lab/records';
import { FakeSocket } from './socket';

/** The border between the browser and the lab, with the test as the lab. */
export class FakeDoor implements IStreamingDoor {
  /** What was asked: `GET fpga/0`. */
  readonly asked: string[] = [];
  readonly sockets: FakeSocket[] = [];
  boards: IBoard[] = [];
  jobs: IJob[] = [];
  /** Other answers, by what is asked; a function is called. What is asked besides is answered with nothing. */
  readonly answers: Record<string, unknown>;
  /** Pieces of logs, by path. */
  readonly texts: Record<string, AsyncIterable<string>> = {};
  /** Nobody answers. */
  away = false;

  constructor(
    answers: Record<string, unknown> = {},
    readonly pace = 0
  ) {
    this.answers = {
      'GET me': { name: 'ada', roles: ['student'] },
      'GET version': { name: 'jupyter_fpga', version: '0.1.0' },
      ...answers
    };
  }

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
