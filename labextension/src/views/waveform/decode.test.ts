/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { TextDecoder } from 'node:util';

import { decode } from './decode';

Object.assign(globalThis, { TextDecoder });

/** What `tests/waveform/test_packed.py` packs. */
function packet(): ArrayBuffer {
  const hex = readFileSync('../tests/waveform/samples/packed.hex', 'ascii').replace(/\s/g, '');
  return Uint8Array.from(hex.match(/../g) ?? [], pair => parseInt(pair, 16)).buffer;
}

test('what the kernel packs is what it has', () => {
  const { signals, ...facts } = decode(packet());
  expect(facts).toEqual({ end: 70000, seconds: 0.25, unit: 'cycle', trigger: 5 });
  const seen = signals.map(signal => [
    signal.name,
    signal.width,
    [...signal.times],
    [...signal.times].map((_, index) => (signal.isKnown(index) ? signal.hex(index) : null))
  ]);
  expect(seen).toEqual([
    ['led', 1, [0, 5, 9], ['0', '1', '0']],
    ['a.b', 12, [0, 300, 65000], [null, 'abc', null]],
    ['wide', 40, [2, 69999], ['123456789a', '1']],
    ['state', 3, [0], ['5']],
    ['none', 1, [], []]
  ]);
  expect(signals[3].names).toEqual(new Map([['5', 'NEGATIVE']]));
  expect(signals[3].parts).toEqual([{ name: 'µ', lsb: 1, width: 2, names: new Map([['2', 'X']]) }]);
  expect(signals[0].names).toBeNull();
});
