/// <reference types="node" />
import { readFileSync } from 'node:fs';

import { plainTrans } from '../views/trans';
import type { IWaveform } from '../views/waveform/signal';
import { VcdError } from './error';
import { VcdParser } from './parser';

const SAMPLES = '../tests/waveform/samples';

function parse(text: string, size = Infinity): { waveform: IWaveform; notes: string[] } {
  const bytes = new TextEncoder().encode(text);
  const parser = new VcdParser(plainTrans);
  for (let at = 0; at < bytes.length; at += size) {
    parser.feed(bytes.subarray(at, at + size));
  }
  return parser.finish();
}

/** As `Waveform.to_json()` has it. */
interface IExpected {
  end: number;
  unit: string;
  trigger: number | null;
  tick_seconds: [number, number];
  signals: { name: string; width: number; times: number[]; values: (string | null)[] }[];
}

function seen({ signals }: IWaveform): IExpected['signals'] {
  return signals.map(signal => ({
    name: signal.name,
    width: signal.width,
    times: [...signal.times],
    values: [...signal.times].map((_, index) => (signal.isKnown(index) ? signal.hex(index) : null))
  }));
}

// `tests/waveform/test_samples.py` reads the same files in Python.
test.each(['amaranth', 'by_hand', 'capture', 'litescope'])('%s is read as in Python', name => {
  const text = readFileSync(`${SAMPLES}/${name}.vcd`, 'utf-8');
  const expected = JSON.parse(readFileSync(`${SAMPLES}/${name}.json`, 'utf-8')) as IExpected;
  const { waveform } = parse(text);
  expect(seen(waveform)).toEqual(expected.signals);
  expect([waveform.end, waveform.unit, waveform.trigger]).toEqual([expected.end, expected.unit, expected.trigger]);
  expect(waveform.seconds).toBeCloseTo(expected.tick_seconds[0] / expected.tick_seconds[1], 18);
  // However it arrives.
  for (const size of [1, 7, 100]) {
    expect(parse(text, size).waveform).toEqual(waveform);
  }
});

test('what has no bits is left out, and said', () => {
  const { notes } = parse(readFileSync(`${SAMPLES}/by_hand.vcd`, 'utf-8'));
  expect(notes).toEqual(['Signals whose values are real numbers or texts are not shown: 2.']);
  expect(parse(readFileSync(`${SAMPLES}/capture.vcd`, 'utf-8')).notes).toEqual([]);
});

test('VHDL’s nine values', () => {
  const { waveform } = parse('$var wire 3 ! a $end $enddefinitions $end #0 bHL1 ! #1 b-01 ! #2 bWZ0 ! #3 bUXX !');
  expect(seen(waveform)[0].values).toEqual(['5', null]);
});

test('a simulation that is still running has what it has so far', () => {
  const { waveform } = parse('$timescale 1ns $end $var wire 8 ! a $end $enddefinitions $end #0 b1 ! #7 b10');
  expect(seen(waveform)).toEqual([{ name: 'a', width: 8, times: [0], values: ['1'] }]);
  expect(waveform.end).toBe(8);
});

test('two hundred thousand changes keep their values', () => {
  const lines = ['$var wire 16 ! a $end $enddefinitions $end'];
  for (let time = 0; time < 200_000; time++) {
    lines.push(`#${time}`, `b${((time * 7919) & 0xffff).toString(2)} !`);
  }
  const [signal] = parse(lines.join('\n'), 10_000).waveform.signals;
  expect(signal.times).toHaveLength(200_000);
  expect(signal.unknown).toBeNull();
  for (const time of [0, 1, 77_777, 199_999]) {
    expect([signal.times[time], signal.words[time]]).toEqual([time, (time * 7919) & 0xffff]);
  }
});

test.each([
  ['', 'This is not a VCD file: it is empty.'],
  [
    'GIF\u00a9 something else',
    'This is not a VCD file: it begins with “GIF?”, not with a keyword such as $date or $timescale.'
  ],
  [
    '$price 3 $end',
    'This is not a VCD file: it begins with “$price”, not with a keyword such as $date or $timescale.'
  ],
  ['$date today $end', 'The VCD file ends within its definitions, before $enddefinitions.'],
  ['$date today $end\nnonsense ', 'The VCD file has “nonsense” between its definitions (at byte 17).'],
  ['$timescale 3 days $end', 'The VCD file has a $timescale that cannot be read: “3days”.'],
  ['$var wire many ! a $end', 'The VCD file has a $var that cannot be read: “wire many ! a”.'],
  [
    `$enddefinitions $end\nb${'1'.repeat(1 << 20)}`,
    'The VCD file has a word that never ends (at byte 21).'
  ],
  [
    '$enddefinitions $end\n#0\nvalue!',
    'The VCD file has “value!” where a change of a value should be (at byte 24).'
  ]
])('%j is refused with a sentence', (text, sentence) => {
  const refused = (): unknown => parse(text);
  expect(refused).toThrow(VcdError);
  expect(refused).toThrow(new VcdError(sentence));
});
