import type { TranslationBundle } from '@jupyterlab/translation';
import { ellipsesIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';

import { operations } from '../commands/operations';
import type { ILab } from '../lab/model';
import type { IBoard } from '../lab/records';

/** What one may do to boards as their lab's operator: a menu, and for each board the button that opens it. */
export class BoardMenu {
  constructor(
    private readonly lab: ILab,
    private readonly trans: TranslationBundle,
    commands: CommandRegistry
  ) {
    this._menu = new Menu({ commands });
    this._menu.aboutToClose.connect(() => {
      this._opener?.focus();
    });
  }

  dispose(): void {
    this._menu.dispose();
  }

  /** What there is to do: a button is otherwise only when this is. */
  todo(board: IBoard): string[] {
    return operations(this.lab, board);
  }

  /** The button of a board; `null` where there is nothing to do. */
  button(board: IBoard): HTMLButtonElement | null {
    const todo = this.todo(board);
    if (todo.length === 0) {
      return null;
    }
    const label = this.trans.__('What to do with board %1', board.fpga_id);
    const button = document.createElement('button');
    button.type = 'button';
    button.title = label;
    button.setAttribute('aria-label', label);
    button.setAttribute('aria-haspopup', 'menu');
    ellipsesIcon.element({ container: button, tag: 'span' });
    button.addEventListener('click', () => {
      this._opener = button;
      this._menu.clearItems();
      for (const command of todo) {
        this._menu.addItem({ command, args: { fpga_id: board.fpga_id } });
      }
      const { left, bottom } = button.getBoundingClientRect();
      this._menu.open(left, bottom);
    });
    return button;
  }

  private readonly _menu: Menu;
  private _opener: HTMLElement | null = null;
}
