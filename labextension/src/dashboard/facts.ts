import { Signal, type ISignal } from '@lumino/signaling';

import type { IEvent } from '../lab/events';
import { Gathering } from '../lab/gathering';
import type { ILab } from '../lab/model';
import type { ActionHistory } from './history';
import { resultsOf, type IActionRecord, type IQueue, type IResults, type ISysInfo, type IWorker } from './records';

/** Between two questions about the same while the lab is busy, ms. */
const PAUSE = 1000;

type Fact = 'queues' | 'workers' | 'results' | 'actions' | 'sysinfo';
const ALL: Fact[] = ['queues', 'workers', 'results', 'actions', 'sysinfo'];

/** What the dashboard shows of the compute service; asked for when an event says that it is otherwise. */
export class Facts {
  constructor(
    private readonly lab: ILab,
    private readonly history: ActionHistory
  ) {
    lab.happened.connect(this._happened, this);
    lab.connectionChanged.connect(this._connected, this);
    this._gathering.add(...ALL);
  }

  queues: IQueue[] = [];
  workers: IWorker[] = [];
  results: IResults = { run: 0, shared: 0, cache: 0 };
  sysinfo: ISysInfo | null = null;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  dispose(): void {
    this._gathering.close();
    clearTimeout(this._timer);
    this.lab.happened.disconnect(this._happened, this);
    this.lab.connectionChanged.disconnect(this._connected, this);
    Signal.clearData(this);
  }

  private _connected(): void {
    if (this.lab.connection === 'live') {
      this._gathering.add(...ALL);
    }
  }

  private _happened(_: ILab, event: IEvent): void {
    if (event.kind.startsWith('queue_')) {
      this._later('queues');
    } else if (event.kind === 'worker_registered') {
      this._later('workers');
    } else if (/^action_(completed|failed|abandoned|cancelled|accepted)$/.test(event.kind)) {
      this._later('results');
      if (typeof event.queue_id === 'number') {
        this._later('queues');
      }
    }
  }

  /** Soon: a thousand actions end in a second, and their counts are asked for once. */
  private _later(fact: Fact): void {
    this._stale.add(fact);
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      this._gathering.add(...this._stale);
      this._stale.clear();
    }, PAUSE);
  }

  private async _ask(stale: ReadonlySet<Fact>): Promise<void> {
    const { door } = this.lab;
    const asks: Record<Fact, () => Promise<void>> = {
      queues: async () => {
        this.queues = await door.request<IQueue[]>('GET', 'compute/queues');
      },
      workers: async () => {
        this.workers = await door.request<IWorker[]>('GET', 'compute/workers');
      },
      results: async () => {
        let text = '';
        for await (const piece of door.pieces('metrics', 'text/plain', new AbortController().signal)) {
          text += piece;
        }
        this.results = resultsOf(text);
      },
      actions: async () => {
        this.history.take(await door.request<IActionRecord[]>('GET', 'compute/jobs?state=unfinished&limit=1000'));
      },
      sysinfo: async () => {
        this.sysinfo = await door.request<ISysInfo>('GET', 'compute/sysinfo');
      }
    };
    await Promise.all([...stale].map(fact => asks[fact]()));
    this._changed.emit();
  }

  private readonly _gathering = new Gathering<Fact>(
    stale => this._ask(stale),
    // The loss of the lab is shown by its connection, and all is asked again when it is back.
    () => undefined
  );
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stale = new Set<Fact>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
