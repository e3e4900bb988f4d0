/** The register panel: a row for each register and field, with what it is set by, its value and its documentation. */

import type { IDoor } from '../../lab/door';
import type { Standing } from '../../lab/holding';
import { Attention } from '../attention';
import { element } from '../dom';
import { plainTrans } from '../trans';
import { control, type IControl } from './control';
import { fieldBits, hex, shown, type IField, type IRegister } from './layout';
import { isReadable, LiveRegisters } from './live';
import { STYLE } from './style';

/** What a panel shows. */
export interface IPanelContent {
  /** What the person calls the board. */
  name: string;
  fpgaId: number;
  /** Digest of the design. */
  design: string;
  registers: IRegister[];
}

/** The cells of a row that change. */
interface IRow {
  field: IField | null;
  control: IControl | null;
  value: HTMLElement;
  trouble: HTMLElement;
}

export class RegisterPanel {
  readonly node: HTMLElement;

  constructor(door: IDoor, content: IPanelContent) {
    this._content = content;
    this._status = element('span', { role: 'status' });
    this._body = element('tbody');
    const heads = ['register', 'set', 'value', ''].map(head => element('th', { scope: 'col' }, head));
    this.node = element(
      'section',
      { class: 'fpga-registers', 'aria-label': `Registers of ${content.name}` },
      element('style', {}, STYLE),
      element('header', {}, element('b', {}, content.name), this._status),
      element('table', {}, element('thead', {}, element('tr', {}, ...heads)), this._body)
    );
    for (const register of content.registers) {
      this._addRows(register);
    }
    this._live = new LiveRegisters(door, content.fpgaId, content.design, content.registers, {
      onStanding: standing => {
        this._stand(standing);
      },
      onBits: (register, bits) => {
        this._show(register, bits);
      },
      onTrouble: (register, why) => {
        this._complain(register, why);
      },
      onLoss: () => {
        this._tellLoss();
      }
    });
    this._attention = new Attention(this.node, looking => {
      this._live.looking = looking;
    });
  }

  dispose(): void {
    this._attention.dispose();
    this._live.close();
  }

  private _addRows(register: IRegister): void {
    const rows = [this._row(register, null), ...register.fields.map(field => this._row(register, field))];
    this._rows.set(register, rows);
  }

  private _row(register: IRegister, field: IField | null): IRow {
    const shape = field ?? register;
    const label = field ? `${register.name}.${field.name}` : register.name;
    const trouble = element('span', { class: 'fpga-trouble' });
    // A register with fields is set by them.
    const settable =
      register.access !== 'ro' && (field ? field.access !== 'ro' : register.fields.length === 0);
    const made = settable
      ? control(
          shape,
          label,
          bits => {
            this._forgetLoss();
            if (field) {
              this._live.writeField(register, field, bits);
            } else {
              this._live.write(register, bits);
            }
            trouble.textContent = '';
          },
          why => {
            trouble.textContent = why;
          }
        )
      : null;
    const value = element('td', { class: 'fpga-value' });
    const doc = element('td', { class: 'fpga-doc' }, shape.doc, ' ', trouble);
    this._body.append(
      element(
        'tr',
        { class: field ? 'fpga-field' : undefined },
        element('th', { scope: 'row', title: placeOf(register, field) }, field ? `.${field.name}` : register.name),
        element('td', {}, ...(made ? [made.node] : [])),
        value,
        doc
      )
    );
    const row = { field, control: made, value, trouble };
    this._reset(register, row);
    return row;
  }

  /** Show what is known of a register that isn't read by itself: what it is after a reset. */
  private _reset(register: IRegister, { field, control: made, value }: IRow): void {
    if (isReadable(register)) {
      return;
    }
    const reset = BigInt(register.reset);
    made?.show(field ? fieldBits(field, reset) : reset);
    value.replaceChildren(...(field ? [] : [this._unread(register)]));
  }

  /** In the place of a value that isn't read by itself. */
  private _unread(register: IRegister): Node {
    if (register.access === 'wo') {
      return element('span', { title: 'This register can only be written.' }, 'write only');
    }
    const button = element('button', { title: 'Reading this register changes something in the design.' }, 'Read');
    button.onclick = () => {
      this._live.readOnce(register);
    };
    return button;
  }

  private _show(register: IRegister, bits: bigint): void {
    for (const row of this._rows.get(register) ?? []) {
      const own = row.field ? fieldBits(row.field, bits) : bits;
      const shape = row.field ?? register;
      const text = shown(shape, own);
      const digits = hex(shape, own);
      const whole = text === digits || shape.width === 1 ? text : `${text} (${digits})`;
      if (row.field === null && register.side_effects) {
        row.value.replaceChildren(`${whole} `, this._unread(register));
      } else {
        row.value.textContent = whole;
      }
      row.trouble.textContent = '';
      row.control?.show(own);
    }
  }

  private _complain(register: IRegister, why: string): void {
    const row = this._rows.get(register)?.[0];
    if (row) {
      row.trouble.textContent = why;
    }
  }

  private _tellLoss(): void {
    for (const [register, rows] of this._rows) {
      for (const row of rows) {
        this._reset(register, row);
      }
    }
    this._loss = true;
    this._tell();
  }

  /** Whoever sets a register has seen how it stands. */
  private _forgetLoss(): void {
    if (this._loss) {
      this._loss = false;
      this._tell();
    }
  }

  private _tell(): void {
    this._status.textContent = this._words(this._standing);
  }

  private _stand(standing: Standing): void {
    this.node.dataset.standing = standing.is;
    this._standing = standing;
    this._tell();
    const usable = standing.is === 'live';
    for (const input of this.node.querySelectorAll<HTMLInputElement>('input, select, button')) {
      input.disabled = !usable;
    }
  }

  private _words(standing: Standing): string {
    const board = `board ${this._content.fpgaId}`;
    switch (standing.is) {
      case 'connecting':
        return `${board}, connecting …`;
      case 'live':
        return this._loss
          ? `${board}, held by you. The lab was restarted and had to program it again: what was in its registers is lost.`
          : `${board}, held by you`;
      case 'lost':
        return `${board}: ${standing.why} Trying again …`;
      case 'over':
        return standing.why;
    }
  }

  private readonly _content: IPanelContent;
  private readonly _live: LiveRegisters;
  private readonly _status: HTMLElement;
  private readonly _body: HTMLElement;
  private readonly _rows = new Map<IRegister, IRow[]>();
  private readonly _attention: Attention;
  private _standing: Standing = { is: 'connecting' };
  private _loss = false;
}

function placeOf(register: IRegister, field: IField | null): string {
  if (field) {
    const high = field.lsb + field.width - 1;
    return field.width === 1 ? `bit ${field.lsb}` : `bits ${high} to ${field.lsb}`;
  }
  const width = plainTrans._n('%1 bit', '%1 bits', register.width);
  return `offset 0x${register.offset.toString(16)}, ${width}, ${register.access}`;
}
