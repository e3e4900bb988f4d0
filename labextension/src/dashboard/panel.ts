import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { shapeIcon } from '../icons';
import type { ILab } from '../lab/model';
import type { IBoard } from '../lab/records';
import { freeBoards, stateLook, stateWord } from '../words';
import { BoardMenu } from './boardMenu';
import { Facts } from './facts';
import type { ActionHistory } from './history';
import { section, table } from './parts';
import { drawTimeline, SPAN } from './timeline';

/** Between two pictures of what moves, ms. */
const PICTURE = 250;

/** The whole lab at a glance: boards, what is being computed, for whom, and how much of it was known already. */
export class Dashboard extends Widget {
  constructor(
    private readonly lab: ILab,
    private readonly history: ActionHistory,
    private readonly trans: TranslationBundle,
    commands: CommandRegistry
  ) {
    super();
    this.addClass('jp-FpgaDashboard');
    this.node.tabIndex = -1;
    this._facts = new Facts(lab, history);
    this._menu = new BoardMenu(lab, trans, commands);
    this._status.setAttribute('role', 'status');
    this._boards = this._section(trans.__('Boards'));
    this._tiles.className = 'jp-FpgaDashboard-tiles';
    this._boards.append(this._status, this._tiles);
    const actions = this._section(trans.__('Running actions'));
    this._timeline.setAttribute('role', 'img');
    this._timeline.setAttribute('class', 'jp-FpgaTimeline');
    actions.append(this._timeline, this._scale(), this._running);
    this._results = this._section(trans.__('Results'));
    this._queues = this._section(trans.__('Queues'));
    this._workers = this._section(trans.__('Workers'));
    lab.boardsChanged.connect(this._showBoards, this);
    lab.connectionChanged.connect(this._showBoards, this);
    this._facts.changed.connect(this._showFacts, this);
    history.changed.connect(this._moved, this);
    this._showBoards();
    this._showFacts();
  }

  override dispose(): void {
    clearTimeout(this._timer);
    this.lab.boardsChanged.disconnect(this._showBoards, this);
    this.lab.connectionChanged.disconnect(this._showBoards, this);
    this.history.changed.disconnect(this._moved, this);
    this._facts.dispose();
    this._menu.dispose();
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._moved();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
  }

  private _section(title: string): HTMLElement {
    const { node, content } = section(title);
    this.node.append(node);
    return content;
  }

  private _scale(): HTMLElement {
    const scale = document.createElement('div');
    scale.className = 'jp-FpgaTimeline-scale';
    scale.setAttribute('aria-hidden', 'true');
    for (const text of [
      this.trans.__('%1 s ago', SPAN / 1000),
      this.trans.__('%1 s ago', SPAN / 2000),
      this.trans.__('now')
    ]) {
      const mark = document.createElement('span');
      mark.textContent = text;
      scale.append(mark);
    }
    return scale;
  }

  private _showBoards(): void {
    const { boards, connection } = this.lab;
    const said =
      connection === 'live'
        ? freeBoards(this.trans, boards)
        : this.trans.__('The lab does not answer. Trying again …');
    if (this._status.textContent !== said) {
      this._status.textContent = said;
    }
    // Only tiles that are otherwise than before are made anew.
    boards.forEach((board, index) => {
      const face = JSON.stringify([
        board.fpga_id,
        stateLook(board),
        stateWord(this.trans, board),
        board.owner,
        this._menu.todo(board)
      ]);
      const tile = this._tiles.children[index] as HTMLElement | undefined;
      if (tile === undefined) {
        this._tiles.append(this._tile(board, face));
      } else if (tile.dataset.face !== face) {
        tile.replaceWith(this._tile(board, face));
      }
    });
    while (this._tiles.children.length > boards.length) {
      this._tiles.lastElementChild?.remove();
    }
  }

  private _tile(board: IBoard, face: string): HTMLElement {
    const tile = document.createElement('li');
    tile.dataset.face = face;
    tile.dataset.look = stateLook(board);
    const number = document.createElement('strong');
    number.textContent = String(board.fpga_id);
    const word = document.createElement('span');
    word.textContent = board.owner ?? stateWord(this.trans, board);
    const button = this._menu.button(board);
    tile.append(shapeIcon(stateLook(board)), number, word, ...(button ? [button] : []));
    tile.title = [
      this.trans.__('Board %1', board.fpga_id),
      board.target,
      stateWord(this.trans, board),
      board.owner ?? '',
      board.reason ?? ''
    ]
      .filter(part => part !== '')
      .join(' · ');
    return tile;
  }

  private _showFacts(): void {
    const { trans, _facts: facts } = this;
    this._queues.replaceChildren(
      table(
        [
          trans.__('Queue'),
          trans.__('Owner'),
          trans.__('State'),
          trans.__('Active'),
          trans.__('Completed'),
          trans.__('Failed'),
          trans.__('Cancelled')
        ],
        facts.queues.map(queue => [
          String(queue.queue_id),
          queue.owner,
          queue.state,
          queue.active,
          queue.completed,
          queue.failed,
          queue.cancelled
        ]),
        trans.__('There is no queue. Builds need none.')
      )
    );
    this._workers.replaceChildren(
      table(
        [trans.__('Worker'), trans.__('Digest'), trans.__('Functions')],
        facts.workers.map(worker => [
          worker.name,
          worker.worker.slice(0, 12),
          worker.functions.map(each => each.name).join(', ')
        ]),
        trans.__('There is no worker.')
      )
    );
    this._showResults();
    this._moved();
  }

  private _showResults(): void {
    const { run, shared, cache } = this._facts.results;
    const all = run + shared + cache;
    const sentence = document.createElement('p');
    sentence.textContent =
      all === 0
        ? this.trans.__('Nothing was computed since the lab was started.')
        : this.trans._n(
            '%2 % of %1 result was there already. From the cache: %3, shared with an equal action: %4, computed: %5',
            '%2 % of %1 results were there already. From the cache: %3, shared with an equal action: %4, computed: %5',
            all,
            Math.round((100 * (shared + cache)) / all),
            cache,
            shared,
            run
          );
    const meter = document.createElement('meter');
    meter.max = Math.max(1, all);
    meter.value = shared + cache;
    meter.setAttribute('aria-label', this.trans.__('Cache hit rate'));
    this._results.replaceChildren(meter, sentence);
  }

  /** Draw what moves, now and then while anything does; not at all where nobody sees it. */
  private _moved(): void {
    if (this._timer === undefined && this.isVisible) {
      this._draw();
      this._timer = setTimeout(() => {
        this._timer = undefined;
        if (this.history.since(this.lab.now() - SPAN).length > 0) {
          this._moved();
        }
      }, PICTURE);
    }
  }

  private _draw(): void {
    const { trans, history, lab } = this;
    const now = lab.now();
    const { running } = history;
    const actions = history.since(now - SPAN);
    drawTimeline(this._timeline, actions, now, this._facts.sysinfo?.runner.capacity ?? 1);
    const label = trans._n(
      'In the last minute %1 action; running: %2, waiting: %3',
      'In the last minute %1 actions; running: %2, waiting: %3',
      actions.length,
      running.length,
      history.waiting
    );
    this._timeline.setAttribute('aria-label', label);
    const names = new Map(this._facts.workers.map(worker => [worker.worker, worker.name]));
    this._running.replaceChildren(
      table(
        [trans.__('Function'), trans.__('Owner'), trans.__('Worker'), trans.__('Seconds')],
        running
          .slice(0, 20)
          .map(action => [
            action.function,
            action.owner,
            names.get(action.worker) ?? action.worker.slice(0, 12),
            Math.max(0, Math.round((now - (action.began ?? now)) / 1000))
          ]),
        label
      )
    );
  }

  private readonly _facts: Facts;
  private readonly _menu: BoardMenu;
  private readonly _status = document.createElement('p');
  private readonly _boards: HTMLElement;
  private readonly _tiles = document.createElement('ul');
  private readonly _timeline = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  private readonly _running = document.createElement('div');
  private readonly _results: HTMLElement;
  private readonly _queues: HTMLElement;
  private readonly _workers: HTMLElement;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
