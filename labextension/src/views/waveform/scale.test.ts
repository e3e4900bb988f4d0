import { frequencyText, marks, TimeScale, timeText } from './scale';

function scaleOf(end: number, width: number): TimeScale {
  const scale = new TimeScale(end);
  scale.resize(width);
  return scale;
}

test('everything is shown at first, and when the screen changes then too', () => {
  const scale = scaleOf(1000, 500);
  expect([scale.start, scale.stop]).toEqual([0, 1000]);
  scale.resize(200);
  expect([scale.start, scale.stop]).toEqual([0, 1000]);
  scale.zoom(0, 0.5);
  scale.resize(400);
  expect([scale.start, scale.perPixel]).toEqual([0, 2.5]);
});

test('a zoom leaves what is at the pointer there', () => {
  const scale = scaleOf(1000, 500);
  const time = scale.time(123);
  for (const factor of [0.5, 0.3, 0.9, 1.5]) {
    scale.zoom(123, factor);
    expect(scale.x(time)).toBeCloseTo(123);
  }
});

test('nothing beyond the ends is shown, however one pans or zooms', () => {
  const scale = scaleOf(1000, 500);
  scale.zoom(250, 0.1);
  scale.pan(-Infinity);
  expect(scale.start).toBe(0);
  scale.pan(Infinity);
  expect(scale.stop).toBeCloseTo(1000);
  scale.zoom(10, 1e9);
  expect([scale.start, scale.stop]).toEqual([0, 1000]);
  scale.zoom(10, 1e-9);
  expect(scale.perPixel).toBe(1 / 200);
});

test('a span and a time are brought into view', () => {
  const scale = scaleOf(1000, 500);
  scale.show(300, 200);
  expect([scale.start, scale.stop]).toEqual([200, 300]);
  scale.reveal(250);
  expect(scale.start).toBe(200);
  scale.reveal(600);
  expect(scale.x(600)).toBeCloseTo(250);
  // Less than can be shown is shown in the middle.
  scale.show(10, 10);
  expect(scale.x(10)).toBeCloseTo(250);
});

test('a waveform without ticks has a scale too', () => {
  const scale = scaleOf(0, 100);
  scale.fit();
  expect(marks(scale, null, 50).length).toBeGreaterThan(0);
});

test('marks are at round times with room between them', () => {
  const scale = scaleOf(1000, 500);
  expect(marks(scale, null, 90).map(mark => mark.text)).toEqual(['0', '200', '400', '600', '800', '1000']);
  // A tick of 1/12 µs: the marks are at round microseconds, not at round ticks.
  expect(marks(scale, 1 / 12e6, 90).map(mark => mark.text)).toEqual(['0 µs', '20 µs', '40 µs', '60 µs', '80 µs']);
  scale.show(500, 501);
  const close = marks(scale, 1e-9, 90);
  expect(close.map(mark => mark.text)).toContain('500.5 ns');
  // Ticks aren't divided.
  expect(marks(scale, null, 90).map(mark => mark.text)).toEqual(['500', '501']);
});

test('times and frequencies as text', () => {
  expect([1.5, 83.333e-9, 1e-6 * 0.99999999999, 4.1666e-14, 0].map(seconds => timeText(seconds))).toEqual([
    '1.5 s',
    '83.33 ns',
    '1 µs',
    '41.67 fs',
    '0 s'
  ]);
  expect([1 / 12e6, 1e-3, 2, 1e-9].map(frequencyText)).toEqual(['12 MHz', '1 kHz', '0.5 Hz', '1 GHz']);
});
