/** Values as text, and back. */

import type { Signal } from './signal';

/** How values are written; `name` is by the enumeration's names, and hexadecimal where there is none. */
export const RADIXES = ['name', 'hex', 'unsigned', 'signed', 'binary', 'ascii'] as const;

export type Radix = (typeof RADIXES)[number];

/** A value of a signal as text; `x` where nobody knows it. */
export function valueText(signal: Signal, index: number, radix: Radix): string {
  if (index < 0 || !signal.isKnown(index)) {
    return 'x';
  }
  switch (radix) {
    case 'name': {
      const hex = signal.hex(index);
      return signal.names?.get(hex) ?? hex;
    }
    case 'hex':
      return signal.hex(index);
    case 'unsigned':
      return signal.value(index).toString();
    case 'signed':
      return BigInt.asIntN(signal.width, signal.value(index)).toString();
    case 'binary':
      return signal.value(index).toString(2).padStart(signal.width, '0');
    case 'ascii':
      return ascii(signal.value(index), Math.ceil(signal.width / 8));
  }
}

/** The most significant byte first, as a string constant in Verilog is; a dot for what can't be printed. */
function ascii(value: bigint, bytes: number): string {
  let text = '';
  for (let byte = bytes - 1; byte >= 0; byte--) {
    const code = Number((value >> BigInt(8 * byte)) & 0xffn);
    text += code > 31 && code < 127 ? String.fromCharCode(code) : '·';
  }
  return text;
}

/** The value that a text means for a signal that is shown in a radix; `null` when it means none. */
export function parseValue(text: string, signal: Signal, radix: Radix): bigint | null {
  const plain = text.trim();
  for (const [hex, name] of signal.names ?? []) {
    if (name === plain) {
      return BigInt(`0x${hex}`);
    }
  }
  if (radix === 'ascii' && plain !== '') {
    return Array.from(plain).reduce((value, character) => (value << 8n) | BigInt(character.charCodeAt(0) & 0xff), 0n);
  }
  const digits = plain.replace(/[_\s]/g, '').toLowerCase();
  const prefix = /^0[xbo]/.test(digits) ? '' : { name: '0x', hex: '0x', binary: '0b' }[radix as string] ?? '';
  const match = /^(-?)(\w+)$/.exec(digits);
  if (match === null) {
    return null;
  }
  try {
    const size = BigInt(prefix + match[2]);
    return BigInt.asUintN(signal.width, match[1] === '-' ? -size : size);
  } catch {
    return null; // BigInt says no to digits that the radix doesn't have.
  }
}
