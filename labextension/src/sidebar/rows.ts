/** What a row can do besides being read. */
export interface IRowAction {
  label: string;
  /** A button with a picture, whose label is read out. */
  icon?: (container: HTMLElement) => void;
  /** A button with these words, which say in short what its label says. */
  text?: string;
  act: () => void;
}

/** What a row shows, and does. */
export interface IRow {
  /** What it is, such as a board's number: a row stays the same element as long as its key. */
  key: string;
  /** What it shows depends on this, and on nothing else. */
  face: string;
  /** Its content, made when the face has changed. */
  content: () => Node[];
  /** As buttons at its end. */
  actions: () => IRowAction[];
  /** Enter, or a double click. */
  onEnter?: () => void;
  /** The Delete key. */
  onDelete?: () => void;
  /** Attributes for style and for context menus. */
  data?: Record<string, string>;
}

/** A list of which one row is in the Tab order: arrows go from row to row, and right into its buttons. */
export class Rows {
  /**
   * @param label - what the list is, for those who hear it.
   * @param empty - said instead of an empty list.
   */
  constructor(label: string, empty: string) {
    this.node = document.createElement('div');
    this.node.className = 'jp-FpgaRows';
    this._grid.setAttribute('role', 'grid');
    this._grid.setAttribute('aria-label', label);
    this._empty.className = 'jp-FpgaRows-empty';
    this._empty.textContent = empty;
    this.node.append(this._grid, this._empty);
    this._grid.addEventListener('keydown', event => {
      this._key(event);
    });
    this._grid.addEventListener('focusin', event => {
      const row = (event.target as Element).closest<HTMLElement>('[role=row]');
      if (row) {
        this._rove(row);
      }
    });
    this._grid.addEventListener('dblclick', event => {
      const target = event.target as Element;
      const row = target.closest<HTMLElement>('[role=row]');
      if (row && !target.closest('button')) {
        this._rowOf(row)?.onEnter?.();
      }
    });
  }

  readonly node: HTMLDivElement;

  /** Show these, in this order. Rows that are as they were are left alone. */
  show(rows: readonly IRow[]): void {
    const focused = this._grid.contains(document.activeElement);
    const place = this._current === null ? 0 : [...this._grid.children].indexOf(this._current);
    const wanted = new Set(rows.map(row => row.key));
    for (const [key, { element }] of this._shown) {
      if (!wanted.has(key)) {
        element.remove();
        this._shown.delete(key);
      }
    }
    let before: Element | null = null;
    for (const row of rows) {
      const element = this._element(row);
      const next: Element | null = before === null ? this._grid.firstElementChild : before.nextElementSibling;
      if (next !== element) {
        this._grid.insertBefore(element, next);
      }
      before = element;
    }
    this._grid.hidden = rows.length === 0;
    this._empty.hidden = rows.length > 0;
    if (this._current === null || !this._current.isConnected) {
      this._rove(this._grid.children[Math.max(0, Math.min(place, rows.length - 1))] as HTMLElement | undefined);
      if (focused) {
        this._current?.focus();
      }
    }
  }

  /** The row's element, to change what its face doesn't tell. */
  element(key: string): HTMLElement | undefined {
    return this._shown.get(key)?.element;
  }

  focus(): void {
    this._current?.focus();
  }

  private _element(row: IRow): HTMLElement {
    const shown = this._shown.get(row.key);
    if (shown?.row.face === row.face) {
      shown.row = row;
      return shown.element;
    }
    const element = shown?.element ?? this._newElement();
    const hadFocus = element.contains(document.activeElement);
    Object.assign(element.dataset, row.data);
    const content = document.createElement('span');
    content.setAttribute('role', 'gridcell');
    content.className = 'jp-FpgaRows-content';
    content.append(...row.content());
    const actions = document.createElement('span');
    actions.setAttribute('role', 'gridcell');
    actions.className = 'jp-FpgaRows-actions';
    actions.append(...row.actions().map(actionButton));
    element.replaceChildren(content, actions);
    if (hadFocus) {
      element.focus();
    }
    this._shown.set(row.key, { row, element });
    return element;
  }

  private _newElement(): HTMLElement {
    const element = document.createElement('div');
    element.setAttribute('role', 'row');
    element.tabIndex = -1;
    return element;
  }

  private _rowOf(element: Element): IRow | undefined {
    return [...this._shown.values()].find(shown => shown.element === element)?.row;
  }

  private _rove(row: HTMLElement | undefined): void {
    if (this._current !== null && this._current !== row) {
      this._current.tabIndex = -1;
    }
    this._current = row ?? null;
    if (row) {
      row.tabIndex = 0;
    }
  }

  private _key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const element = target.closest<HTMLElement>('[role=row]');
    const row = element && this._rowOf(element);
    if (!element || !row || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const stops = [element, ...element.querySelectorAll('button')];
    const at = stops.indexOf(target);
    const rows = [...this._grid.children] as HTMLElement[];
    const index = rows.indexOf(element);
    const moves: Record<string, HTMLElement | undefined> = {
      ArrowDown: rows[index + 1],
      ArrowUp: rows[index - 1],
      Home: rows[0],
      End: rows[rows.length - 1],
      ArrowRight: stops[at + 1],
      ArrowLeft: stops[at - 1]
    };
    if (event.key in moves) {
      moves[event.key]?.focus();
    } else if (event.key === 'Enter' && target === element && row.onEnter) {
      row.onEnter();
    } else if (event.key === 'Delete' && row.onDelete) {
      row.onDelete();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private readonly _grid = document.createElement('div');
  private readonly _empty = document.createElement('p');
  private readonly _shown = new Map<string, { row: IRow; element: HTMLElement }>();
  private _current: HTMLElement | null = null;
}

function actionButton({ label, icon, text, act }: IRowAction): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.tabIndex = -1;
  button.textContent = text ?? (icon ? '' : label);
  if (icon || text !== undefined) {
    button.title = label;
    button.setAttribute('aria-label', label);
    icon?.(button);
  }
  button.addEventListener('click', act);
  return button;
}
