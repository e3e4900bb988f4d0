/** The board picker: the lab's boards as they are now, and which one the next designs go to. */

import type { IDoor } from '../../lab/door';
import { follow, movesBoards } from '../../lab/following';
import type { IBoard } from '../../lab/records';
import { element } from '../dom';
import { about } from '../time';
import { plainTrans, type ITrans } from '../trans';
import { Listbox, type IOption } from './listbox';
import { Mine } from './mine';
import { STYLE } from './style';
import { isUsable, SIGNS, standing } from './words';

/** Key of the option that picks no board in particular. */
const ANY = 'any';

export interface IPickerOptions {
  /** The board that is picked; `null` for any that is free. */
  picked: number | null;
  /** Only boards of this target are shown at first; all when empty. */
  target?: string;
  onPick: (board: number | null) => void;
  trans?: ITrans;
}

export class BoardPicker {
  readonly node: HTMLElement;

  constructor(door: IDoor, { picked, target = '', onPick, trans = plainTrans }: IPickerOptions) {
    this._door = door;
    this._picked = picked;
    this._wanted = target;
    this._onPick = onPick;
    this._trans = trans;
    this._status = element('span', { role: 'status' });
    this._targets = element('select', { 'aria-label': trans.__('Target') });
    this._free = element('input', { type: 'checkbox' });
    this._list = new Listbox(trans.__('Boards'), key => {
      this._pick(key === ANY ? null : Number(key));
    });
    this._mine = new Mine((fpgaId, what) => void this._ask(fpgaId, what), trans);
    this.node = element(
      'section',
      { class: 'fpga-picker', 'aria-label': trans.__('Board picker') },
      element('style', {}, STYLE),
      element(
        'header',
        {},
        element('b', {}, trans.__('Boards')),
        this._status,
        this._targets,
        element('label', {}, this._free, ` ${trans.__('only free ones')}`)
      ),
      this._list.node,
      this._mine.node
    );
    this._targets.addEventListener('change', () => {
      this._wanted = this._targets.value;
      this._show();
    });
    this._free.addEventListener('change', () => {
      this._show();
    });
    this._end = follow(door, () => door.request<IBoard[]>('GET', 'fpga'), movesBoards, {
      onRecord: boards => {
        this._take(boards);
      },
      onTrouble: trouble => {
        this._say(trouble.message);
      }
    });
    this._ticking = setInterval(() => {
      this._tick();
    }, 1000);
  }

  /** The kernel has picked another board. */
  set picked(board: number | null) {
    this._picked = board;
    this._show();
  }

  dispose(): void {
    clearInterval(this._ticking);
    this._end();
  }

  /** Times are shown to the minute, and only one's own in the last one to the second. */
  private _tick(): void {
    this._mine.tick();
    if (Date.now() - this._shown > 30_000) {
      this._show();
    }
  }

  private _take(boards: IBoard[]): void {
    this._boards = boards;
    this._taken = Date.now();
    this._mine.show(boards);
    const free = boards.filter(board => board.state === 'idle').length;
    this._say(this._trans.__('%1 of %2 free', free, boards.length));
    this._offerTargets();
    this._show();
  }

  private _offerTargets(): void {
    const targets = [...new Set(this._boards.map(board => board.target))].sort();
    if (this._wanted !== '' && !targets.includes(this._wanted)) {
      targets.push(this._wanted);
    }
    const all = element('option', { value: '' }, this._trans.__('all targets'));
    this._targets.replaceChildren(all, ...targets.map(target => element('option', { value: target }, target)));
    this._targets.value = this._wanted;
  }

  private _show(): void {
    this._shown = Date.now();
    const seen = this._boards.filter(board => {
      const wanted = this._wanted === '' || board.target === this._wanted;
      // What is picked stays in sight, whatever becomes of it.
      return (wanted && (!this._free.checked || board.state === 'idle')) || board.fpga_id === this._picked;
    });
    const any: IOption = {
      key: ANY,
      label: this._trans.__('Any board that is free'),
      content: ['', this._trans.__('Any board'), this._trans.__('that is free')].map(word =>
        element('span', {}, word)
      ),
      kind: ANY,
      disabled: false
    };
    const options = [any, ...seen.map(board => this._option(board))];
    this._list.show(options, this._picked === null ? ANY : String(this._picked));
  }

  private _option(board: IBoard): IOption {
    const trans = this._trans;
    const stands = standing(board, trans);
    const name = trans.__('Board %1', board.fpga_id);
    const { session } = board;
    // Of others' boards it is the first thing to know when one may become free. One's own have a clock below.
    const seconds = (session?.remaining_seconds ?? 0) - (Date.now() - this._taken) / 1000;
    const left = stands.kind === 'taken' && seconds > 0 ? about(seconds, trans) : '';
    const words = left === '' ? stands.words : trans.__('%1, %2 left', stands.words, left);
    const tags = board.tags.map(tag => element('span', { class: 'fpga-tag' }, tag));
    return {
      key: String(board.fpga_id),
      label: [name, words, board.target, ...board.tags].join(', '),
      content: [
        element('span', { class: 'fpga-sign', 'aria-hidden': 'true' }, SIGNS[stands.kind]),
        element('span', {}, name),
        element('span', {}, words),
        element('span', {}, board.target),
        element('span', {}, ...tags)
      ],
      kind: stands.kind,
      disabled: !isUsable(stands)
    };
  }

  private _pick(board: number | null): void {
    this._picked = board;
    this._show();
    this._onPick(board);
  }

  private async _ask(fpgaId: number, what: 'renew' | 'release'): Promise<void> {
    try {
      await this._door.request('POST', `fpga/${fpgaId}/session/${what}`);
    } catch (error) {
      this._say(error instanceof Error ? error.message : String(error));
    }
  }

  private _say(sentence: string): void {
    this._status.textContent = sentence;
  }

  private readonly _door: IDoor;
  private readonly _onPick: (board: number | null) => void;
  private readonly _trans: ITrans;
  private readonly _status: HTMLElement;
  private readonly _targets: HTMLSelectElement;
  private readonly _free: HTMLInputElement;
  private readonly _list: Listbox;
  private readonly _mine: Mine;
  private readonly _end: () => void;
  private readonly _ticking: ReturnType<typeof setInterval>;
  private _boards: IBoard[] = [];
  /** When the boards were as they are here, and when they were shown last, ms. */
  private _taken = 0;
  private _shown = 0;
  private _picked: number | null;
  private _wanted: string;
}
