/** The things on a bench, each with its row. */

import { element } from '../dom';
import type { Action } from '../../lab/bench';

/** A row of like things. */
function row(name: string, things: HTMLElement[]): HTMLElement {
  return element(
    'div',
    { class: 'fpga-row', role: 'group', 'aria-label': name },
    element('span', { class: 'fpga-name', 'aria-hidden': 'true' }, name),
    ...things
  );
}

/** LEDs, as bright as an eye would see them. */
export class Leds {
  readonly node: HTMLElement;

  constructor(count: number) {
    this._lamps = numbers(count).map(number => {
      const lamp = element('span', { class: 'fpga-led', role: 'img' }, element('i'), String(number));
      return lamp;
    });
    this.node = row('LEDs', this._lamps);
    this.show([]);
  }

  /** @param lit - the share of time that each is on. */
  show(lit: number[]): void {
    this._lamps.forEach((lamp, number) => {
      const share = lit[number] ?? 0;
      const percent = Math.round(100 * share);
      const words = percent === 0 ? 'off' : percent === 100 ? 'on' : `${percent} %`;
      const label = `LED ${number}: ${words}`;
      if (lamp.getAttribute('aria-label') === label) {
        return;
      }
      lamp.setAttribute('aria-label', label);
      lamp.title = label;
      // An eye tells dark shades apart better than bright ones: half as bright takes a fifth of the light.
      lamp.querySelector('i')?.style.setProperty('--lit', (share ** (1 / 2.2)).toFixed(3));
    });
  }

  private readonly _lamps: HTMLElement[];
}

/** Push buttons, down as long as the pointer or the key is. */
export class Buttons {
  readonly node: HTMLElement;

  constructor(count: number, act: (action: Action) => void) {
    this._keys = numbers(count).map(number => {
      const key = element('button', { type: 'button', 'aria-label': `Button ${number}` }, String(number));
      const down = (): void => {
        act({ action: 'set', buttons: (this._down |= 1 << number) });
      };
      const up = (): void => {
        if (this._down & (1 << number)) {
          act({ action: 'set', buttons: (this._down &= ~(1 << number)) });
        }
      };
      key.onpointerdown = event => {
        key.setPointerCapture(event.pointerId);
        down();
      };
      key.onpointerup = up;
      key.onpointercancel = up;
      key.onkeydown = event => {
        if ((event.key === ' ' || event.key === 'Enter') && !event.repeat) {
          down();
        }
      };
      key.onkeyup = up;
      key.onblur = up;
      return key;
    });
    this.node = row('buttons', this._keys);
  }

  /** @param buttons - those that are down, bit 0 for number 0. */
  show(buttons: number): void {
    this._keys.forEach((key, number) => {
      key.setAttribute('aria-pressed', buttons & (1 << number) ? 'true' : 'false');
    });
  }

  private readonly _keys: HTMLButtonElement[];
  private _down = 0;
}

/** Slide switches. */
export class Switches {
  readonly node: HTMLElement;

  constructor(count: number, act: (action: Action) => void) {
    this._boxes = numbers(count).map(number => {
      const box = element('input', { type: 'checkbox', role: 'switch', 'aria-label': `Switch ${number}` });
      box.onchange = () => {
        const set = this._boxes.reduce((value, each, index) => value | (each.checked ? 1 << index : 0), 0);
        act({ action: 'set', switches: set });
      };
      return box;
    });
    const labelled = this._boxes.map((box, number) => element('span', { class: 'fpga-switch' }, box, String(number)));
    this.node = row('switches', labelled);
  }

  show(switches: number): void {
    this._boxes.forEach((box, number) => {
      box.checked = (switches & (1 << number)) !== 0;
    });
  }

  private readonly _boxes: HTMLInputElement[];
}

/** Characters of the console that are kept on the page. */
const KEPT = 100_000;

/** The other end of the design's serial line. */
export class Console {
  readonly node: HTMLElement;

  constructor(act: (action: Action) => void) {
    this._text = element('pre', { role: 'log', tabindex: '0', 'aria-label': 'What the design has sent' });
    const line = element('input', {
      type: 'text',
      'aria-label': 'Send to the design',
      placeholder: 'Send a line to the design',
      spellcheck: 'false',
      autocomplete: 'off'
    });
    line.onkeydown = event => {
      if (event.key === 'Enter') {
        act({ action: 'console', text: `${line.value}\n` });
        line.value = '';
      }
    };
    this.node = element('div', { role: 'group', 'aria-label': 'Console' }, this._text, line);
  }

  append(text: string): void {
    if (text === '') {
      return;
    }
    const atEnd = this._text.scrollTop + this._text.clientHeight >= this._text.scrollHeight - 4;
    this._text.textContent = ((this._text.textContent ?? '') + text).slice(-KEPT);
    if (atEnd) {
      this._text.scrollTop = this._text.scrollHeight;
    }
  }

  private readonly _text: HTMLPreElement;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
