import type { IBoard } from '../../lab/records';
import { element } from '../dom';
import { about } from '../time';
import type { ITrans } from '../trans';

/** What is asked of the lab about a board that one holds. */
export type Ask = (fpgaId: number, what: 'renew' | 'release') => void;

interface IRow {
  node: HTMLElement;
  words: HTMLElement;
  /** When the session ends, by the page's clock, ms. */
  end: number;
}

/** The boards that one holds, each with its time and what can be done about it. A row stays the same element, so that
 * the focus stays on its button. */
export class Mine {
  readonly node: HTMLElement;

  constructor(ask: Ask, trans: ITrans) {
    this._ask = ask;
    this._trans = trans;
    this.node = element('ul', { class: 'fpga-mine', 'aria-label': trans.__('Boards you hold') });
  }

  show(boards: IBoard[]): void {
    const seen = new Set<number>();
    for (const { fpga_id, session } of boards) {
      if (session?.session_id) {
        seen.add(fpga_id);
        const row = this._rows.get(fpga_id) ?? this._add(fpga_id);
        row.end = Date.now() + session.remaining_seconds * 1000;
      }
    }
    for (const [fpgaId, row] of this._rows) {
      if (!seen.has(fpgaId)) {
        row.node.remove();
        this._rows.delete(fpgaId);
      }
    }
    this.node.hidden = seen.size === 0;
    this.tick();
  }

  /** Time has passed. */
  tick(): void {
    for (const [fpgaId, { words, end }] of this._rows) {
      const left = about(Math.max(0, (end - Date.now()) / 1000), this._trans);
      words.textContent = this._trans.__('Board %1 is yours for %2.', fpgaId, left);
    }
  }

  private _add(fpgaId: number): IRow {
    const words = element('span');
    const button = (what: 'renew' | 'release', text: string, label: string): HTMLButtonElement => {
      const made = element('button', { type: 'button', 'aria-label': label, title: label }, text);
      made.addEventListener('click', () => {
        this._ask(fpgaId, what);
      });
      return made;
    };
    const trans = this._trans;
    const node = element(
      'li',
      {},
      words,
      button('renew', trans.__('Renew'), trans.__('Renew board %1', fpgaId)),
      button('release', trans.__('Release'), trans.__('Release board %1', fpgaId))
    );
    this.node.append(node);
    const row = { node, words, end: 0 };
    this._rows.set(fpgaId, row);
    return row;
  }

  private readonly _ask: Ask;
  private readonly _trans: ITrans;
  private readonly _rows = new Map<number, IRow>();
}
