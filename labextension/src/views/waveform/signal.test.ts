import { Signal } from './signal';

function wide(): Signal {
  // 40 bits: 0x12_3456_789a, unknown, 0xff_8000_0001.
  const words = Uint32Array.of(0x3456789a, 0x12, 0, 0, 0x80000001, 0xff);
  return new Signal('top.wide', 40, Float64Array.of(0, 10, 25), words, Uint8Array.of(0b010));
}

test('the value at a time is found by bisection', () => {
  const signal = wide();
  expect([-1, 0, 9, 10, 24, 25, 1e9].map(time => signal.indexAt(time))).toEqual([-1, 0, 0, 1, 1, 2, 2]);
  expect([0, 1, 2].map(index => signal.isKnown(index))).toEqual([true, false, true]);
  expect(signal.hex(0)).toBe('123456789a');
  expect(signal.value(2)).toBe(0xff80000001n);
});

test('a value is searched in both directions, and never found where nobody knows it', () => {
  const signal = wide();
  expect(signal.indexOf(0xff80000001n, 0, 1)).toBe(2);
  expect(signal.indexOf(0x123456789an, 2, -1)).toBe(0);
  expect(signal.indexOf(0n, 0, 1)).toBe(-1);
  // The lowest word alone isn't the value.
  expect(signal.indexOf(0x80000001n, 0, 1)).toBe(-1);
});

test('a field changes only where its bits do', () => {
  const signal = wide();
  const across = signal.bits({ name: 'across', lsb: 28, width: 8, names: null });
  expect(across.name).toBe('top.wide.across');
  expect([...across.times]).toEqual([0, 10, 25]);
  expect([0, 2].map(index => across.hex(index))).toEqual(['23', 'f8']);
  expect(across.isKnown(1)).toBe(false);
  const plain = new Signal('s', 8, Float64Array.of(0, 1, 2, 3), Uint8Array.of(0x10, 0x11, 0x21, 0x22));
  const high = plain.bits({ name: 'high', lsb: 4, width: 4, names: new Map([['2', 'TWO']]) });
  expect([[...high.times], [...high.words]]).toEqual([[0, 2], [1, 2]]);
  expect(high.names?.get('2')).toBe('TWO');
});

test('a field of many words keeps all of them', () => {
  const words = Uint32Array.of(1, 2, 3, 0xffffffff, 0xffffffff, 0x3);
  const signal = new Signal('w', 70, Float64Array.of(0, 4), words);
  const field = signal.bits({ name: 'f', lsb: 2, width: 66, names: null });
  const mask = (1n << 66n) - 1n;
  expect([0, 1].map(index => field.value(index))).toEqual(
    [0, 1].map(index => (signal.value(index) >> 2n) & mask)
  );
});
