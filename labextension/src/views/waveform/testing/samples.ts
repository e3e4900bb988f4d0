/** For tests: a waveform that has a bit of everything. */

import { Signal, type IWaveform } from '../signal';

const STATES = new Map([
  ['0', 'IDLE'],
  ['1', 'RUN']
]);

/** A hundred cycles of 12 MHz with a trigger at 30: `top.clock`, `top.led`, `top.core.state` and `top.core.status`. */
export function sample(): IWaveform {
  const every = Float64Array.from({ length: 100 }, (_, time) => time);
  return {
    end: 100,
    seconds: 1 / 12e6,
    unit: 'cycle',
    trigger: 30,
    signals: [
      new Signal('top.clock', 1, every, Uint8Array.from(every, time => time & 1)),
      new Signal('top.led', 1, Float64Array.of(0, 20, 70), Uint8Array.of(0, 1, 0)),
      new Signal('top.core.state', 1, Float64Array.of(0, 40), Uint8Array.of(0, 1), null, STATES),
      new Signal('top.core.status', 8, Float64Array.of(0, 10, 60), Uint8Array.of(0, 0x9a, 0x9b), Uint8Array.of(1), null, [
        { name: 'mode', lsb: 0, width: 1, names: STATES },
        { name: 'level', lsb: 4, width: 4, names: null }
      ])
    ]
  };
}

/** So many signals that change at each of so many ticks, without a pattern that could be drawn as one. */
export function busy(signals: number, changes: number): IWaveform {
  const times = Float64Array.from({ length: changes }, (_, time) => time);
  const of = (number: number): Signal =>
    number % 2 === 0
      ? new Signal(`bit${number}`, 1, times, Uint8Array.from(times, time => time & 1))
      : new Signal(`bus${number}`, 16, times, Uint16Array.from(times, time => (time * 7919) & 0xffff));
  return {
    end: changes,
    seconds: 1e-9,
    unit: 'ns',
    trigger: null,
    signals: Array.from({ length: signals }, (_, number) => of(number))
  };
}
