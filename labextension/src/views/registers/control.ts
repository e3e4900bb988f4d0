/** What a person sets a value with: a toggle, a list of names, a slider beside a number, or a number alone. */

import { element } from '../dom';
import { bitsOf, nameOf, parse, range, valueOf, type IShape } from './layout';

/** Values that a slider still can be set to with some precision: one pixel for each. */
const WIDEST_SLIDER = 16;

/** A control for one register or field. */
export interface IControl {
  readonly node: HTMLElement;
  /** Show these bits, unless the person is just setting others. */
  show(bits: bigint): void;
}

/**
 * The control that suits a shape.
 *
 * @param label - for those who don't see it.
 * @param set - called with the bits that the person sets.
 * @param complain - called with a sentence when what the person wrote can't be; with nothing when it can.
 */
export function control(
  shape: IShape,
  label: string,
  set: (bits: bigint) => void,
  complain: (why: string) => void
): IControl {
  if (shape.enum !== null) {
    return choice(shape, label, set);
  }
  return shape.width === 1 && !shape.signed ? toggle(label, set) : number(shape, label, set, complain);
}

function toggle(label: string, set: (bits: bigint) => void): IControl {
  const box = element('input', { type: 'checkbox', 'aria-label': label });
  box.onchange = () => {
    set(box.checked ? 1n : 0n);
  };
  return {
    node: box,
    show: bits => {
      box.checked = bits !== 0n;
    }
  };
}

function choice(shape: IShape, label: string, set: (bits: bigint) => void): IControl {
  const names = Object.keys(shape.enum ?? {});
  const select = element('select', { 'aria-label': label }, ...names.map(name => element('option', {}, name)));
  // What has no name is shown by its number, which can't be chosen.
  const other = element('option', { disabled: true, hidden: true });
  select.append(other);
  select.onchange = () => {
    set(bitsOf(shape, BigInt(shape.enum?.[select.value] ?? 0)));
  };
  return {
    node: select,
    show: bits => {
      const value = valueOf(shape, bits);
      const name = nameOf(shape, value);
      other.textContent = name === undefined ? value.toString() : '';
      select.value = name ?? value.toString();
    }
  };
}

function number(
  shape: IShape,
  label: string,
  set: (bits: bigint) => void,
  complain: (why: string) => void
): IControl {
  const text = element('input', { type: 'text', 'aria-label': label, spellcheck: 'false', autocomplete: 'off' });
  const slider = shape.width <= WIDEST_SLIDER ? sliderFor(shape, label) : null;
  let latest = '';
  const tell = (bits: bigint): void => {
    latest = valueOf(shape, bits).toString();
    complain('');
    set(bits);
  };
  text.onchange = () => {
    const value = parse(shape, text.value);
    if (typeof value === 'string') {
      complain(value);
      return;
    }
    tell(bitsOf(shape, value));
    text.value = latest;
    if (slider) {
      slider.value = latest;
    }
  };
  text.onkeydown = event => {
    if (event.key === 'Escape') {
      complain('');
      text.value = latest;
    }
  };
  if (slider) {
    slider.oninput = () => {
      text.value = slider.value;
      tell(bitsOf(shape, BigInt(slider.value)));
    };
  }
  return {
    node: slider ? element('span', {}, slider, ' ', text) : text,
    show: bits => {
      const before = latest;
      latest = valueOf(shape, bits).toString();
      // Never under the hands of somebody who types, or who drags.
      if (slider && !slider.matches(':active')) {
        slider.value = latest;
      }
      if (document.activeElement !== text || text.value === before) {
        text.value = latest;
      }
    }
  };
}

function sliderFor(shape: IShape, label: string): HTMLInputElement {
  const [low, high] = range(shape);
  return element('input', {
    type: 'range',
    min: low.toString(),
    max: high.toString(),
    'aria-label': `${label}, slider`
  });
}
