/** The column of names and values: a tree of which only the rows in view are elements. */

import type { ITrans } from '../trans';
import { ROW, RULER } from './draw';
import type { Row } from './rows';
import type { Viewer } from './viewer';

/** Of the column, pixels. */
const [LEAST, MOST] = [140, 320];
/** Of a character, and of what is around the texts. */
const [CHARACTER, AROUND] = [6.7, 40];
/** Of a level of the hierarchy. */
const INDENT = 12;

let made = 0;

export class Names {
  constructor(trans: ITrans) {
    this.node.className = 'fpga-Wave-names';
    this.node.tabIndex = 0;
    this.node.setAttribute('role', 'tree');
    this.node.setAttribute('aria-label', trans.__('Signals'));
    const head = document.createElement('div');
    head.className = 'fpga-Wave-head';
    head.setAttribute('aria-hidden', 'true');
    this._now.className = 'fpga-Wave-value';
    head.append(trans.__('Signals'), this._now);
    this.node.append(head);
  }

  readonly node = document.createElement('div');

  /** How wide the column has to be for what it shows, pixels. */
  widthFor(viewer: Viewer): number {
    const longest = viewer.rows.reduce((most, row) => {
      const value = row.signal === null ? 0 : Math.min(Math.ceil(row.signal.width / 4), 16) + 2;
      return Math.max(most, row.label.length + value + (row.depth * INDENT) / CHARACTER);
    }, 0);
    return Math.min(Math.max(longest * CHARACTER + AROUND, LEAST), MOST);
  }

  /** Show what is in view of the rows, `height` pixels of them from `scroll` on. */
  show(viewer: Viewer, height: number, scroll: number): void {
    this._now.textContent = viewer.cursors[viewer.active] === null ? '' : 'AB'[viewer.active];
    const first = Math.floor(scroll / ROW);
    const count = Math.max(Math.min(viewer.rows.length - first, Math.ceil(height / ROW) + 1), 0);
    while (this._elements.length < count) {
      this._elements.push(new Line(`${this._id}-${this._elements.length}`));
    }
    this._elements.forEach((line, offset) => {
      if (offset < count) {
        const index = first + offset;
        line.show(viewer, viewer.rows[index], index, RULER + index * ROW - scroll);
        if (line.node.parentNode === null) {
          this.node.append(line.node);
        }
      } else {
        line.node.remove();
      }
    });
    const selected = this._elements[viewer.selected - first] as Line | undefined;
    if (selected?.node.parentNode === this.node) {
      this.node.setAttribute('aria-activedescendant', selected.node.id);
    } else {
      this.node.removeAttribute('aria-activedescendant');
    }
  }

  private readonly _now = document.createElement('span');
  private readonly _id = `fpga-wave-${made++}`;
  private readonly _elements: Line[] = [];
}

/** One row's element, which shows another row when the column is scrolled. */
class Line {
  constructor(id: string) {
    this.node.id = id;
    this.node.className = 'fpga-Wave-row';
    this.node.setAttribute('role', 'treeitem');
    this._label.className = 'fpga-Wave-label';
    this._value.className = 'fpga-Wave-value';
    this.node.append(this._label, this._value);
  }

  readonly node = document.createElement('div');

  show(viewer: Viewer, row: Row, index: number, top: number): void {
    const { node } = this;
    const twist = row.children.length === 0 ? ' ' : row.open ? '▾' : '▸';
    set(this._label, `${twist} ${row.label}`);
    set(this._value, viewer.valueOf(row));
    node.style.transform = `translateY(${top}px)`;
    node.style.paddingLeft = `${6 + row.depth * INDENT}px`;
    node.dataset['index'] = String(index);
    node.toggleAttribute('data-group', row.isGroup);
    node.title = row.signal === null ? row.label : `${row.signal.name}, ${row.signal.width} bit`;
    node.setAttribute('aria-level', String(row.depth + 1));
    node.setAttribute('aria-selected', String(index === viewer.selected));
    node.setAttribute('aria-setsize', String(row.parent?.children.length ?? 1));
    node.setAttribute('aria-posinset', String(row.position));
    if (row.children.length === 0) {
      node.removeAttribute('aria-expanded');
    } else {
      node.setAttribute('aria-expanded', String(row.open));
    }
  }

  private readonly _label = document.createElement('span');
  private readonly _value = document.createElement('span');
}

/** Setting a text lays the page out anew even when it is the same. */
function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
