/** Mouse, pen, finger and wheel on the picture. */

import { ROW, RULER } from './draw';
import type { Viewer } from './viewer';

/** Closer than this to a change, a click means the change, pixels. */
const SNAP = 6;
/** A press that moves less is a click, pixels. */
const STILL = 3;
/** Of a wheel that counts in lines, pixels. */
const LINE = 16;

/**
 * Let a picture be dragged, zoomed and clicked.
 *
 * @param viewer - gives the viewer that is shown now.
 * @param scroll - gives how far its rows are scrolled up, pixels.
 */
export function followPointer(picture: HTMLElement, viewer: () => Viewer | null, scroll: () => number): void {
  let press: { x: number; last: number; moved: boolean; selects: boolean } | null = null;

  picture.addEventListener('pointerdown', event => {
    if (event.button === 0) {
      const selects = event.shiftKey || event.offsetY < RULER;
      press = { x: event.offsetX, last: event.offsetX, moved: false, selects };
      picture.setPointerCapture(event.pointerId);
      picture.focus({ preventScroll: true });
      event.preventDefault();
    }
  });

  picture.addEventListener('pointermove', event => {
    const shown = viewer();
    if (press === null || shown === null) {
      return;
    }
    press.moved ||= Math.abs(event.offsetX - press.x) > STILL;
    if (press.moved && press.selects) {
      shown.select(shown.scale.time(press.x), shown.scale.time(event.offsetX));
    } else if (press.moved) {
      shown.pan(press.last - event.offsetX);
      press.last = event.offsetX;
    }
  });

  picture.addEventListener('pointerup', event => {
    const shown = viewer();
    if (press !== null && shown !== null) {
      if (!press.moved) {
        click(shown, event.offsetX, event.offsetY, scroll(), event.shiftKey ? 1 : 0);
      } else if (press.selects) {
        shown.take();
      }
    }
    press = null;
  });

  picture.addEventListener('pointercancel', () => {
    press = null;
  });

  picture.addEventListener(
    'wheel',
    event => {
      const shown = viewer();
      if (shown === null) {
        return;
      }
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        shown.pan((event.deltaX || event.deltaY) * unit);
      } else if (event.ctrlKey || event.metaKey || document.activeElement === picture) {
        // A page that is only scrolled by must not get stuck on a picture.
        shown.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY * unit * 0.003))), event.offsetX);
      } else {
        return;
      }
      event.preventDefault();
    },
    { passive: false }
  );
}

/** Select the row and place a cursor, on a change of the row's signal when there is one near. */
function click(viewer: Viewer, x: number, y: number, scroll: number, which: 0 | 1): void {
  const index = Math.floor((y - RULER + scroll) / ROW);
  if (y > RULER && index < viewer.rows.length) {
    viewer.choose(index);
  }
  const time = viewer.scale.time(x);
  const signal = viewer.row?.signal;
  let at = Math.floor(time);
  if (signal) {
    const before = signal.indexAt(time);
    const near = [before, before + 1]
      .filter(change => change >= 0 && change < signal.times.length)
      .map(change => signal.times[change])
      .sort((one, other) => Math.abs(one - time) - Math.abs(other - time));
    if (near.length > 0 && Math.abs(viewer.scale.x(near[0]) - x) <= SNAP) {
      at = near[0];
    }
  }
  viewer.place(at, which);
}
