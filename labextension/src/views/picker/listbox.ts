import { element } from '../dom';

/** One line of a list box. */
export interface IOption {
  /** Unchanged as long as the option is the same thing. */
  key: string;
  /** What those who hear the page are told instead of what it contains. */
  label: string;
  content: (Node | string)[];
  kind: string;
  disabled: boolean;
}

let boxes = 0;

/**
 * A list of which one is picked, as the ARIA authoring practices have it: the list has the focus, arrows, Home and End
 * move in it, Enter and Space pick.
 */
export class Listbox {
  readonly node: HTMLElement;

  constructor(label: string, pick: (key: string) => void) {
    this._pick = pick;
    boxes += 1;
    this._prefix = `fpga-listbox-${boxes}-`;
    this.node = element('div', { role: 'listbox', tabindex: 0, 'aria-label': label });
    this.node.addEventListener('keydown', event => {
      this._key(event);
    });
    this.node.addEventListener('click', event => {
      const option = (event.target as Element).closest<HTMLElement>('[role=option]');
      if (option !== null) {
        this._activate(this._options.findIndex(each => this._id(each) === option.id));
        this._choose();
      }
    });
  }

  /** Show these; what is active stays so as long as it is there. */
  show(options: IOption[], picked: string): void {
    const active = this._options[this._active]?.key ?? picked;
    this._options = options;
    const nodes = options.map(option =>
      element(
        'div',
        {
          role: 'option',
          id: this._id(option),
          'aria-label': option.label,
          'aria-selected': String(option.key === picked),
          'aria-disabled': option.disabled ? 'true' : undefined,
          'data-kind': option.kind
        },
        ...option.content
      )
    );
    this.node.replaceChildren(...nodes);
    const index = options.findIndex(option => option.key === active);
    this._activate(index < 0 ? 0 : index, false);
  }

  private _key(event: KeyboardEvent): void {
    const last = this._options.length - 1;
    const to: Partial<Record<string, number>> = {
      ArrowDown: Math.min(this._active + 1, last),
      ArrowUp: Math.max(this._active - 1, 0),
      Home: 0,
      End: last
    };
    const index = to[event.key];
    if (index !== undefined) {
      this._activate(index);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this._choose();
    } else {
      return;
    }
    // Notebooks have these keys for themselves: Enter edits the cell, arrows leave it.
    event.preventDefault();
    event.stopPropagation();
  }

  private _choose(): void {
    const option = this._options.at(this._active);
    if (option !== undefined && !option.disabled) {
      this._pick(option.key);
    }
  }

  private _activate(index: number, scroll = true): void {
    this._active = index;
    for (const [place, node] of [...this.node.children].entries()) {
      node.classList.toggle('fpga-active', place === index);
    }
    const option = this._options.at(index);
    if (option === undefined) {
      this.node.removeAttribute('aria-activedescendant');
      return;
    }
    this.node.setAttribute('aria-activedescendant', this._id(option));
    if (scroll) {
      this.node.children[index].scrollIntoView({ block: 'nearest' });
    }
  }

  private _id(option: IOption): string {
    return this._prefix + option.key;
  }

  private readonly _pick: (key: string) => void;
  private readonly _prefix: string;
  private _options: IOption[] = [];
  private _active = 0;
}
