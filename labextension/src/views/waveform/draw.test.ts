import { plainTrans } from '../trans';
import { draw } from './draw';
import { busy, sample } from './testing/samples';
import { Recorder } from './testing/recorder';
import type { ITheme } from './theme';
import { Viewer } from './viewer';
import type { IWaveform } from './signal';

const theme: ITheme = {
  paper: 'paper',
  ink: 'ink',
  faint: 'faint',
  grid: 'grid',
  bit: 'bit',
  bus: 'bus',
  unknown: 'unknown',
  cursors: ['a', 'b'],
  chosen: 'chosen',
  font: '11px monospace'
};

function shown(waveform: IWaveform, width = 800): Viewer {
  const viewer = new Viewer(waveform, plainTrans, () => undefined);
  viewer.resize(width);
  return viewer;
}

function drawn(viewer: Viewer, height = 200, scroll = 0): Recorder {
  const recorder = new Recorder();
  draw(recorder.context, viewer, theme, height, scroll);
  return recorder;
}

test('bits are levels with edges, buses boxes with their values', () => {
  const recorder = drawn(shown(sample()));
  // led, in the third row: low, high, low, and an edge between two of them.
  const [high, low] = [24 + 2 * 24 + 4.5, 24 + 2 * 24 + 19.5];
  const led = recorder.rectangles.filter(({ style, alpha, y }) => style === 'bit' && alpha === 1 && y >= high && y <= low);
  expect(led.map(({ x, y, width, height }) => [x, y, width, height])).toEqual([
    [0, low, 161, 1],
    [160, high, 401, 1],
    [160, high, 1, 15],
    [560, low, 241, 1],
    [560, high, 1, 15]
  ]);
  const inks = recorder.texts.filter(text => text.style === 'ink');
  expect(inks.map(({ text, x }) => [text, x])).toEqual([
    ['IDLE', 160],
    ['RUN', 560],
    ['9a', 280],
    ['9b', 640]
  ]);
});

test('a value stays in the middle of what is seen of it', () => {
  const viewer = shown(sample());
  viewer.show(45, 55);
  const texts = drawn(viewer).texts.filter(text => text.style === 'ink');
  expect(texts.map(({ text, x }) => [text, x])).toEqual([
    ['RUN', 400],
    ['9a', 400]
  ]);
});

test('what nobody knows is hatched, and has no text', () => {
  const recorder = drawn(shown(sample()));
  const hatched = recorder.strokes.filter(stroke => stroke.style === 'unknown' && stroke.points.length > 4);
  expect(hatched).toHaveLength(1);
  // All within the first ten cycles.
  const xs = hatched[0].points.map(([, x]) => x);
  expect(Math.min(...xs)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...xs)).toBeLessThanOrEqual(80);
  expect(recorder.texts.map(({ text }) => text)).not.toContain('x');
});

test('only rows in view are drawn', () => {
  const viewer = shown(busy(100, 10));
  const recorder = drawn(viewer, 24 + 24 * 4, 24 * 10);
  const lanes = new Set(recorder.rectangles.filter(({ style, y }) => style === 'bit' && y % 24 === 4.5).map(({ y }) => y));
  expect(lanes.size).toBe(2);
  expect(recorder.strokes.filter(stroke => stroke.style === 'bus')).toHaveLength(2);
});

test('however many changes there are, a lane has no more segments than pixels', () => {
  const viewer = shown(busy(2, 200_000));
  for (let depth = 0; depth < 14; depth++) {
    const recorder = drawn(viewer);
    for (const lane of recorder.strokes.filter(stroke => stroke.style === 'bus')) {
      // A box has seven points, and is ten pixels wide at least.
      expect(lane.points.length).toBeLessThanOrEqual(7 * (800 / 10 + 2));
    }
    // A value is two pixels wide at least: of a bit two lines and an area, of a bus one line.
    expect(recorder.rectangles.length).toBeLessThan((2.5 * 800) / 2 + 800 / 2 + 20);
    viewer.zoom(0.5, 300);
  }
  // By now single values are seen.
  expect(drawn(viewer).texts.some(text => text.style === 'ink')).toBe(true);
});

test('a block of changes that cannot be seen is one rectangle', () => {
  const recorder = drawn(shown(busy(1, 100_000)));
  const blocks = recorder.rectangles.filter(rectangle => rectangle.style === 'bit');
  expect(blocks.map(({ x, width }) => [x, width])).toEqual([[0, 800]]);
});

test('cursors, the trigger and what is selected are over the lanes', () => {
  const viewer = shown(sample());
  viewer.place(25, 0);
  viewer.place(50, 1);
  viewer.select(10, 20);
  const recorder = drawn(viewer);
  const letters = recorder.texts.filter(text => ['A', 'B', 'T'].includes(text.text));
  expect(letters.map(({ text, x }) => [text, x])).toEqual([
    ['T', 241],
    ['A', 201],
    ['B', 401]
  ]);
  expect(recorder.rectangles).toContainEqual(expect.objectContaining({ x: 80, width: 80, height: 200, alpha: 0.2 }));
});

test('the ruler counts cycles, or tells the time', () => {
  const faint = (waveform: IWaveform): string[] =>
    drawn(shown(waveform))
      .texts.filter(text => text.style === 'faint')
      .map(({ text }) => text);
  expect(faint(sample())).toEqual(['0', '20', '40', '60', '80', '100']);
  expect(faint(busy(1, 1000))).toEqual(['0.0 µs', '0.2 µs', '0.4 µs', '0.6 µs', '0.8 µs', '1.0 µs']);
});
