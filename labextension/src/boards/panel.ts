import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { Message } from '@lumino/messaging';

import type { IDoor } from '../lab/door';
import { followEvents } from '../lab/events';
import type { IBoard } from '../lab/records';

/** The left sidebar's list of boards: number, state, who holds it. Live while it is shown. */
export class BoardsPanel extends Widget {
  constructor(door: IDoor, trans: TranslationBundle) {
    super();
    this._door = door;
    this._trans = trans;
    this.addClass('jp-FpgaBoards');
    this._status = document.createElement('p');
    this._status.setAttribute('role', 'status');
    this._list = document.createElement('ul');
    this._list.setAttribute('aria-label', trans.__('Boards'));
    this.node.append(this._status, this._list);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._unwatch ??= followEvents(this._door, {
      onReady: () => {
        this._refresh();
      },
      onEvent: event => {
        if (event.fpga_id !== undefined && event.fpga_id !== null) {
          this._refresh();
        }
      },
      onLost: () => {
        this._say(this._trans.__('The lab does not answer. Trying again …'));
      }
    });
  }

  protected override onBeforeHide(message: Message): void {
    this._stop();
    super.onBeforeHide(message);
  }

  override dispose(): void {
    this._stop();
    super.dispose();
  }

  private _stop(): void {
    this._unwatch?.();
    this._unwatch = null;
  }

  /** One request at a time: a burst of events costs one more request, not one each. */
  private _refresh(): void {
    this._stale = true;
    this._refreshing ??= this._fetch().finally(() => {
      this._refreshing = null;
    });
  }

  private async _fetch(): Promise<void> {
    try {
      while (this._stale) {
        this._stale = false;
        this._show(await this._door.request<IBoard[]>('GET', 'fpga'));
      }
    } catch (error) {
      this._say(error instanceof Error ? error.message : String(error));
    }
  }

  private _say(sentence: string): void {
    this._status.textContent = sentence;
  }

  private _show(boards: IBoard[]): void {
    const free = boards.filter(board => board.state === 'idle').length;
    this._say(this._trans.__('%1 of %2 boards free', free, boards.length));
    this._list.replaceChildren(...boards.map(board => this._item(board)));
  }

  private _item(board: IBoard): HTMLLIElement {
    const item = document.createElement('li');
    item.dataset.state = board.state;
    const label = this._trans.__('Board %1', board.fpga_id);
    const holder = board.owner ? ` · ${board.owner}` : '';
    item.textContent = `${label} · ${board.state}${holder}`;
    item.title = `${board.target}, ${board.health}`;
    return item;
  }

  private readonly _door: IDoor;
  private readonly _trans: TranslationBundle;
  private readonly _status: HTMLParagraphElement;
  private readonly _list: HTMLUListElement;
  private _unwatch: (() => void) | null = null;
  private _refreshing: Promise<void> | null = null;
  private _stale = false;
}
