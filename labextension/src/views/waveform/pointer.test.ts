import { plainTrans } from '../trans';
import { followPointer } from './pointer';
import { sample } from './testing/samples';
import { Viewer } from './viewer';

/** A picture 500 pixels wide, five to a cycle. */
function followed(): { picture: HTMLElement; viewer: Viewer } {
  const viewer = new Viewer(sample(), plainTrans, () => undefined);
  viewer.resize(500);
  const picture = document.createElement('div');
  picture.tabIndex = 0;
  picture.setPointerCapture = () => undefined;
  document.body.replaceChildren(picture);
  followPointer(
    picture,
    () => viewer,
    () => 0
  );
  return { picture, viewer };
}

function send(picture: HTMLElement, type: string, x: number, y: number, more: MouseEventInit = {}): void {
  const event = new MouseEvent(type, { bubbles: true, cancelable: true, ...more });
  Object.defineProperties(event, { offsetX: { value: x }, offsetY: { value: y }, pointerId: { value: 1 } });
  picture.dispatchEvent(event);
}

function wheel(picture: HTMLElement, x: number, more: WheelEventInit): WheelEvent {
  const event = new WheelEvent('wheel', { bubbles: true, cancelable: true, ...more });
  Object.defineProperties(event, { offsetX: { value: x } });
  picture.dispatchEvent(event);
  return event;
}

function click(picture: HTMLElement, x: number, y: number, more: MouseEventInit = {}): void {
  send(picture, 'pointerdown', x, y, more);
  send(picture, 'pointerup', x, y, more);
}

test('a click selects the row and places a cursor, on a change that is near', () => {
  const { picture, viewer } = followed();
  // Row 2 is led, which changes at 20 (x = 100).
  click(picture, 104, 24 + 2 * 24 + 5);
  expect([viewer.row?.label, viewer.cursors]).toEqual(['led', [20, null]]);
  click(picture, 203, 24 + 2 * 24 + 5, { shiftKey: true });
  expect(viewer.cursors).toEqual([20, 40]);
  expect(document.activeElement).toBe(picture);
});

test('a drag pans, and with Shift or on the ruler selects what is zoomed to', () => {
  const { picture, viewer } = followed();
  viewer.show(20, 70);
  send(picture, 'pointerdown', 100, 60);
  send(picture, 'pointermove', 60, 60);
  expect(viewer.scale.start).toBeCloseTo(24);
  send(picture, 'pointerup', 60, 60);
  expect(viewer.cursors).toEqual([null, null]);
  viewer.fit();
  for (const [y, shiftKey] of [
    [60, true],
    [10, false]
  ] as const) {
    send(picture, 'pointerdown', 100, y, { shiftKey });
    send(picture, 'pointermove', 300, y);
    expect(viewer.range).toEqual([20, 60]);
    send(picture, 'pointerup', 300, y);
    expect([viewer.scale.start, viewer.scale.stop]).toEqual([20, 60]);
    viewer.fit();
  }
});

test('the wheel scrolls the page by, and zooms with Ctrl or once the picture has the focus', () => {
  const { picture, viewer } = followed();
  expect(wheel(picture, 250, { deltaY: -100 }).defaultPrevented).toBe(false);
  expect(viewer.scale.stop).toBe(100);
  expect(wheel(picture, 250, { deltaY: -100, ctrlKey: true }).defaultPrevented).toBe(true);
  expect(viewer.scale.x(50)).toBeCloseTo(250);
  const { perPixel } = viewer.scale;
  picture.focus();
  wheel(picture, 250, { deltaY: -100 });
  expect(viewer.scale.perPixel).toBeLessThan(perPixel);
  const { start } = viewer.scale;
  expect(wheel(picture, 250, { deltaY: 50, shiftKey: true }).defaultPrevented).toBe(true);
  expect(viewer.scale.start).toBeCloseTo(start + 50 * viewer.scale.perPixel);
});
