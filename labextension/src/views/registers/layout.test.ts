import { bitsOf, fieldBits, fromWords, parse, range, shown, toWords, valueOf, withField, type IField } from './layout';

const shape = (width: number, signed = false, names: Record<string, number> | null = null): IField => ({
  name: 'x',
  width,
  doc: '',
  signed,
  enum: names,
  access: 'rw',
  lsb: 4
});

test('the most significant word comes first', () => {
  expect(fromWords([1, 2])).toBe(0x1_0000_0002n);
  expect(toWords(0x1_0000_0002n, 2)).toEqual([1, 2]);
  expect(toWords(fromWords([0xffffffff, 0, 7]), 3)).toEqual([0xffffffff, 0, 7]);
});

test('a field is read and replaced in its place', () => {
  expect(fieldBits(shape(3), 0b101_1111n)).toBe(0b101n);
  expect(withField(shape(3), 0b111_1111n, 0b010n)).toBe(0b010_1111n);
  // More bits than the field has never reach its neighbours.
  expect(withField(shape(3), 0n, 0xffn)).toBe(0b111_0000n);
});

test('signed values are below zero where their first bit is set', () => {
  expect(valueOf(shape(4, true), 0xfn)).toBe(-1n);
  expect(bitsOf(shape(4, true), -1n)).toBe(0xfn);
  expect(range(shape(4, true))).toEqual([-8n, 7n]);
  expect(range(shape(64))).toEqual([0n, 2n ** 64n - 1n]);
});

test('values are shown by name, in decimal, or all digits when they are wide', () => {
  expect(shown(shape(2, false, { RUN: 1 }), 1n)).toBe('RUN');
  expect(shown(shape(2, false, { RUN: 1 }), 2n)).toBe('2');
  expect(shown(shape(40), 255n)).toBe('0x00000000ff');
});

test.each([
  ['40', 40n],
  [' 0x28 ', 40n],
  ['0b10_1000', 40n],
  ['256', 'x takes 0 to 255.'],
  ['-1', 'x takes 0 to 255.'],
  ['', 'x takes a whole number, such as 255 or 0xff.'],
  ['forty', 'x takes a whole number, such as 255 or 0xff.'],
  ['1.5', 'x takes a whole number, such as 255 or 0xff.']
])('what a person writes: %j', (text, value) => {
  expect(parse(shape(8), text)).toBe(value);
});

test('what is below zero is written with its sign', () => {
  expect(parse(shape(8, true), '-0x80')).toBe(-128n);
  expect(parse(shape(8, true), '-129')).toBe('x takes -128 to 127.');
});
