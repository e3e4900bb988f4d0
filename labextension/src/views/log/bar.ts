import type { ITrans } from '../trans';
import type { Search } from './search';

/** What a person wants of a log. */
export interface IWishes {
  onSearch: (wanted: string) => void;
  /** To the next place of what is looked for (1), or to the one before (-1). */
  onStep: (by: 1 | -1) => void;
  onFollow: () => void;
  onCopy: () => void;
}

/** The bar above a log: search, whether the end is followed, and a copy of all. */
export class Bar {
  readonly node = document.createElement('div');

  constructor(
    private readonly _trans: ITrans,
    wishes: IWishes
  ) {
    this.node.className = 'jp-FpgaLog-bar';
    this.node.setAttribute('role', 'search');
    this._input.type = 'search';
    this._input.placeholder = _trans.__('Search');
    this._input.setAttribute('aria-label', _trans.__('Search the log'));
    this._input.addEventListener('input', () => {
      wishes.onSearch(this._input.value);
    });
    this._input.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        event.preventDefault();
        wishes.onStep(event.shiftKey ? -1 : 1);
      }
    });
    this._previous = button('↑', _trans.__('Previous match'), () => {
      wishes.onStep(-1);
    });
    this._next = button('↓', _trans.__('Next match'), () => {
      wishes.onStep(1);
    });
    this._follow = button(_trans.__('Follow'), '', wishes.onFollow);
    this._follow.title = _trans.__('Keep the end of the log in sight');
    const copy = button(_trans.__('Copy'), _trans.__('Copy the whole log'), wishes.onCopy);
    this._count.setAttribute('aria-live', 'polite');
    this.node.append(this._input, this._previous, this._next, this._count, this._follow, copy);
  }

  /** What is looked for, as it was typed. */
  set wanted(wanted: string) {
    this._input.value = wanted;
  }

  /** Whether the end is followed. */
  set follow(on: boolean) {
    this._follow.setAttribute('aria-pressed', String(on));
  }

  /** Put the cursor where one types what to look for. */
  focus(): void {
    this._input.focus();
    this._input.select();
  }

  /** Say how many lines have what is looked for, and which of them was gone to; -1 for none yet. */
  tell({ found, wanted }: Search, current: number): void {
    const none = found.length === 0;
    this._previous.disabled = none;
    this._next.disabled = none;
    let count = '';
    if (wanted !== '') {
      count = none
        ? this._trans.__('Not found')
        : this._trans._n('%2 of %1 line', '%2 of %1 lines', found.length, current + 1);
    }
    if (this._count.textContent !== count) {
      this._count.textContent = count;
    }
  }

  private readonly _input = document.createElement('input');
  private readonly _count = document.createElement('output');
  private readonly _previous: HTMLButtonElement;
  private readonly _next: HTMLButtonElement;
  private readonly _follow: HTMLButtonElement;
}

function button(text: string, label: string, act: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  if (label !== '') {
    made.title = label;
    made.setAttribute('aria-label', label);
  }
  made.addEventListener('click', act);
  return made;
}
