/** What stands round a simulated board: its LEDs, buttons, switches and console, as far as the design uses them. */

import { BenchSocket, type Action, type IBenchState } from '../../lab/bench';
import type { IDoor } from '../../lab/door';
import { Holding, type Standing } from '../../lab/holding';
import { Attention } from '../attention';
import { element } from '../dom';
import { Buttons, Console, Leds, Switches } from './parts';
import { STYLE } from './style';

/** What a bench has, and what it is called. */
export interface IBenchContent {
  name: string;
  fpgaId: number;
  /** How many of each the design uses. */
  leds: number;
  buttons: number;
  switches: number;
  console: boolean;
}

export class BenchView {
  readonly node: HTMLElement;

  constructor(door: IDoor, content: IBenchContent) {
    this._content = content;
    const act = (action: Action): void => {
      this._socket?.act(action);
    };
    this._leds = content.leds > 0 ? new Leds(content.leds) : null;
    this._buttons = content.buttons > 0 ? new Buttons(content.buttons, act) : null;
    this._switches = content.switches > 0 ? new Switches(content.switches, act) : null;
    this._console = content.console ? new Console(act) : null;
    const parts = [this._leds, this._buttons, this._switches, this._console].filter(part => part !== null);
    this._status = element('span', { role: 'status' });
    this._speed = element('span', { class: 'fpga-speed' });
    this.node = element(
      'section',
      { class: 'fpga-bench', 'aria-label': `Bench of ${content.name}` },
      element('style', {}, STYLE),
      element('header', {}, element('b', {}, content.name), this._status, this._speed),
      ...(parts.length > 0
        ? parts.map(part => part.node)
        : [element('p', {}, 'The design uses neither LEDs nor buttons, switches or the console of the bench.')])
    );
    this._holding = new Holding(
      door,
      content.fpgaId,
      null,
      () => {
        this._connect(door);
      },
      standing => {
        this._stand(standing);
      }
    );
    this._attention = new Attention(this.node, looking => {
      if (looking) {
        this._holding.begin();
      } else {
        this._holding.pause();
        this._disconnect();
      }
    });
    this._holding.begin();
  }

  dispose(): void {
    this._attention.dispose();
    this._holding.close();
    this._disconnect();
  }

  private _connect(door: IDoor): void {
    this._disconnect();
    let live = false;
    const socket = new BenchSocket(door, this._content.fpgaId, this._heard, {
      onState: state => {
        if (!live) {
          live = true;
          this._holding.live();
        }
        this._show(state);
      },
      onRefusal: why => {
        this._status.textContent = why;
      },
      onOver: (code, reason) => {
        if (this._socket === socket) {
          this._socket = null;
          void this._holding.ended(code, reason);
        }
      }
    });
    this._socket = socket;
  }

  private _disconnect(): void {
    const socket = this._socket;
    this._socket = null;
    socket?.close();
  }

  private _show(state: IBenchState): void {
    this._leds?.show(state.lit);
    this._buttons?.show(state.buttons);
    this._switches?.show(state.switches);
    if (state.console < this._heard) {
      // Another design, or the power was off: the console began anew.
      this._heard = 0;
    }
    this._heard = state.console;
    this._console?.append(state.console_text);
    const speed = state.scale === null ? '' : `at ${Math.round(100 * state.scale)} % of real time`;
    this._speed.textContent = state.powered ? speed : 'switched off';
  }

  private _stand(standing: Standing): void {
    const board = `board ${this._content.fpgaId}`;
    this.node.dataset.standing = standing.is;
    this._speed.textContent = '';
    this._status.textContent = {
      connecting: `${board}, connecting …`,
      live: `${board}, held by you`,
      lost: `${board}: ${standing.is === 'lost' ? standing.why : ''} Trying again …`,
      over: standing.is === 'over' ? standing.why : ''
    }[standing.is];
    for (const control of this.node.querySelectorAll<HTMLInputElement>('input, button')) {
      control.disabled = standing.is !== 'live';
    }
  }

  private readonly _content: IBenchContent;
  private readonly _leds: Leds | null;
  private readonly _buttons: Buttons | null;
  private readonly _switches: Switches | null;
  private readonly _console: Console | null;
  private readonly _status: HTMLElement;
  private readonly _speed: HTMLElement;
  private readonly _holding: Holding;
  private readonly _attention: Attention;
  private _socket: BenchSocket | null = null;
  /** Bytes of the console that are shown already. */
  private _heard = 0;
}
