import { parseValue, RADIXES, valueText } from './radix';
import { Signal } from './signal';

const names = new Map([['41', 'LETTER']]);
const byte = new Signal('b', 8, Float64Array.of(0, 1, 2), Uint8Array.of(0x41, 0xfe, 0), Uint8Array.of(0b100), names);

test('a value in every radix', () => {
  expect(RADIXES.map(radix => valueText(byte, 0, radix))).toEqual(['LETTER', '41', '65', '65', '01000001', 'A']);
  expect(RADIXES.map(radix => valueText(byte, 1, radix))).toEqual(['fe', 'fe', '254', '-2', '11111110', '·']);
  expect(RADIXES.map(radix => valueText(byte, 2, radix))).toEqual(Array(6).fill('x'));
  // Before its first value.
  expect(valueText(byte, -1, 'hex')).toBe('x');
});

test('what is typed means a value in the radix that is shown, unless it says otherwise', () => {
  expect(parseValue('LETTER', byte, 'binary')).toBe(0x41n);
  expect(parseValue('41', byte, 'name')).toBe(0x41n);
  expect(parseValue('41', byte, 'unsigned')).toBe(41n);
  expect(parseValue('0x41', byte, 'unsigned')).toBe(0x41n);
  expect(parseValue('-2', byte, 'signed')).toBe(0xfen);
  expect(parseValue('1111_1110', byte, 'binary')).toBe(0xfen);
  expect(parseValue('0b10', byte, 'hex')).toBe(2n);
  expect(parseValue('A', byte, 'ascii')).toBe(0x41n);
  for (const wrong of ['', 'zz', '1 + 1', '-']) {
    expect(parseValue(wrong, byte, 'hex')).toBeNull();
  }
});
