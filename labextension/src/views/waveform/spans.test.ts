import { TimeScale } from './scale';
import { Signal } from './signal';
import { spans } from './spans';

type Span = [number, number, number];

function found(signal: Signal, scale: TimeScale, end: number): Span[] {
  const all: Span[] = [];
  spans(signal, scale, end, (left, right, index) => all.push([left, right, index]));
  return all;
}

function scaleOf(end: number, width: number): TimeScale {
  const scale = new TimeScale(end);
  scale.resize(width);
  return scale;
}

test('values are from edge to edge, and the last until the end', () => {
  const signal = new Signal('s', 1, Float64Array.of(10, 50), Uint8Array.of(0, 1));
  expect(found(signal, scaleOf(100, 200), 100)).toEqual([
    [20, 100, 0],
    [100, 200, 1]
  ]);
});

test('many short values are one block, and the long ones beside it are themselves', () => {
  const times = Float64Array.from([0, 100, ...Array.from({ length: 200 }, (_, number) => 101 + number), 600]);
  const signal = new Signal('s', 8, times, new Uint8Array(times.length));
  expect(found(signal, scaleOf(1000, 500), 1000)).toEqual([
    [0, 50, 0],
    [50, 150, -1],
    [150, 300, times.length - 2],
    [300, 500, times.length - 1]
  ]);
});

test('a lone short value is seen', () => {
  const signal = new Signal('s', 1, Float64Array.of(0, 500, 501), Uint8Array.of(0, 1, 0));
  expect(found(signal, scaleOf(1000, 100), 1000)).toEqual([
    [0, 50, 0],
    [50, 50.1, -1],
    [50.1, 100, 2]
  ]);
});

test('of a million changes no more is looked at than there are pixels', () => {
  const count = 1_000_000;
  // Bursts, gaps and single pulses: what a bus does.
  const times = new Float64Array(count);
  let time = 0;
  for (let index = 0; index < count; index++) {
    times[index] = time;
    time += index % 1000 === 0 ? 3000 : 1 + ((index * 7919) % 5);
  }
  let reads = 0;
  const signal = new Signal('s', 1, times, new Uint8Array(0));
  const scale = scaleOf(time, 1000);
  const watched = new Proxy(times, {
    get: (target, name) => {
      reads += typeof name === 'string' && /^\d+$/.test(name) ? 1 : 0;
      return Reflect.get(target, name, target) as unknown;
    }
  });
  Object.defineProperty(signal, 'times', { value: watched });
  for (const factor of [1, 0.1, 0.1, 0.1]) {
    scale.zoom(333, factor);
    reads = 0;
    const all = found(signal, scale, time);
    expect(all.length).toBeGreaterThan(0);
    expect(all.length).toBeLessThan(1000);
    // A bisection of a million takes twenty.
    expect(reads).toBeLessThan(1000 * 25);
    all.slice(1).forEach(([left], number) => {
      expect(left).toBe(all[number][1]);
    });
  }
});
