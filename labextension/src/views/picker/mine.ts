import type { IBoard } from '../../lab/records';
import { element } from '../dom';
import { about } from '../time';
import type { ITranslate } from '../translate';

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

  constructor(ask: Ask, translate: ITranslate) {
    this._ask = ask;
    this._translate = translate;
    this.node = element('ul', { class: 'fpga-mine', 'aria-label': translate('Boards you hold') });
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
      const left = about(Math.max(0, (end - Date.now()) / 1000), this._translate);
      words.textContent = this._translate('Board %1 is yours for %2.', fpgaId, left);
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
    const translate = this._translate;
    const node = element(
      'li',
      {},
      words,
      button('renew', translate('Renew'), translate('Renew board %1', fpgaId)),
      button('release', translate('Release'), translate('Release board %1', fpgaId))
    );
    this.node.append(node);
    const row = { node, words, end: 0 };
    this._rows.set(fpgaId, row);
    return row;
  }

  private readonly _ask: Ask;
  private readonly _translate: ITranslate;
  private readonly _rows = new Map<number, IRow>();
}
