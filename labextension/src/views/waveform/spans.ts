/** What of a signal is drawn: values that are wide enough to be seen, and blocks that stand for many that aren't. */

import type { TimeScale } from './scale';
import { after, type Signal } from './signal';

/** Of a value that is drawn by itself, pixels at least. */
export const NARROW = 2;

/**
 * Walk over what is on the screen from left to right. Takes a bisection for each pixel at most, however many
 * changes there are.
 *
 * @param span - called with the left and the right edge in pixels, and which value it is: -1 for a block of several.
 */
export function spans(
  signal: Signal,
  scale: TimeScale,
  end: number,
  span: (left: number, right: number, index: number) => void
): void {
  const { times } = signal;
  // Edges that are far outside would be too much for the canvas' numbers.
  const [least, most] = [-10, scale.width + 10];
  const x = (index: number): number => scale.x(index < times.length ? times[index] : end);
  let index = Math.max(signal.indexAt(scale.start), 0);
  let busyFrom: number | null = null;
  while (index < times.length) {
    const left = Math.max(x(index), least);
    if (left > scale.width) {
      break;
    }
    const right = x(index + 1);
    if (right - left >= NARROW) {
      if (busyFrom !== null) {
        span(busyFrom, left, -1);
        busyFrom = null;
      }
      span(left, Math.min(right, most), index);
      index += 1;
    } else {
      busyFrom ??= left;
      index = Math.max(after(times, scale.time(left + NARROW), index) - 1, index + 1);
    }
  }
  if (busyFrom !== null) {
    span(busyFrom, Math.min(x(index), most), -1);
  }
}
