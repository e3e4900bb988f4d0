/** Draws what a viewer shows onto a canvas' 2-D context. */

import { valueText } from './radix';
import { marks } from './scale';
import type { Signal } from './signal';
import { spans } from './spans';
import type { ITheme } from './theme';
import { CURSORS, type Viewer } from './viewer';

/** Pixels from row to row, of the ruler, and of a lane from low to high. */
export const ROW = 24;
export const RULER = 24;
const HIGH = 15;
const TOP = (ROW - HIGH) / 2;
/** Of a character in the font that is drawn with. */
const CHARACTER = 6.7;
/** Of a bus' slanted ends, and of a box at least. */
const SLANT = 3;
const SMALL = 10;

/** A signal's place: its upper edge. */
interface ILane {
  signal: Signal;
  top: number;
}

/**
 * Draw everything that is in view.
 *
 * @param height - of the canvas, pixels; its width is the scale's.
 * @param scroll - how far the rows are scrolled up, pixels.
 */
export function draw(
  context: CanvasRenderingContext2D,
  viewer: Viewer,
  theme: ITheme,
  height: number,
  scroll: number
): void {
  const { width } = viewer.scale;
  context.font = theme.font;
  context.textBaseline = 'middle';
  context.lineWidth = 1;
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, width, height);
  ruler(context, viewer, theme, height);
  context.save();
  context.beginPath();
  context.rect(0, RULER, width, height - RULER);
  context.clip();
  const first = Math.floor(scroll / ROW);
  const last = Math.min(viewer.rows.length, Math.ceil((scroll + height - RULER) / ROW));
  for (let index = first; index < last; index++) {
    const row = viewer.rows[index];
    const top = RULER + index * ROW - scroll;
    if (index === viewer.selected) {
      context.fillStyle = theme.chosen;
      context.fillRect(0, top, width, ROW);
    }
    if (row.signal !== null) {
      const lane = { signal: row.signal, top: top + TOP };
      if (row.signal.isBit) {
        levels(context, viewer, theme, lane);
      } else {
        boxes(context, viewer, theme, lane, index);
      }
    }
  }
  context.restore();
  overlays(context, viewer, theme, height);
}

function ruler(context: CanvasRenderingContext2D, viewer: Viewer, theme: ITheme, height: number): void {
  const { scale, waveform } = viewer;
  context.strokeStyle = theme.grid;
  context.fillStyle = theme.faint;
  context.textAlign = 'left';
  context.beginPath();
  for (const { time, text } of marks(scale, waveform.unit === 'cycle' ? null : waveform.seconds, 90)) {
    // Half a pixel aside, lines are one pixel wide and not two pale ones.
    const x = Math.round(scale.x(time)) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.fillText(text, x + 4, RULER / 2);
  }
  context.moveTo(0, RULER - 0.5);
  context.lineTo(scale.width, RULER - 0.5);
  context.stroke();
}

/** From where to where, pixels. */
type Area = [number, number];

/** Go through the values that are seen of a lane; returns where there are too many, and where nobody knows them. */
function values(
  viewer: Viewer,
  lane: ILane,
  known: (left: number, right: number, index: number) => void
): { busy: Area[]; unknown: Area[] } {
  const busy: Area[] = [];
  const unknown: Area[] = [];
  spans(lane.signal, viewer.scale, viewer.waveform.end, (left, right, index) => {
    if (index < 0) {
      busy.push([left, right]);
    } else if (!lane.signal.isKnown(index)) {
      unknown.push([left, right]);
    } else {
      known(left, right, index);
    }
  });
  return { busy, unknown };
}

/** Lines along the pixels are rectangles: a canvas draws them much faster than strokes, and sharp. */
function levels(context: CanvasRenderingContext2D, viewer: Viewer, theme: ITheme, lane: ILane): void {
  const { signal, top } = lane;
  const high: Area[] = [];
  const lines: [number, number, number, number][] = [];
  // Where the line is, so that an edge joins two levels and a gap doesn't.
  let at = NaN;
  const { busy, unknown } = values(viewer, lane, (left, right, index) => {
    const isHigh = signal.words[index] !== 0;
    const x = Math.round(left);
    lines.push([x, top + (isHigh ? 0 : HIGH), Math.round(right) - x + 1, 1]);
    if (at === left) {
      lines.push([x, top, 1, HIGH]);
    }
    at = right;
    if (isHigh) {
      high.push([left, right]);
    }
  });
  fill(context, high, top, theme.bit, 0.15);
  fill(context, busy, top, theme.bit, 0.5);
  for (const line of lines) {
    context.fillRect(...line);
  }
  hatch(context, unknown, top, theme);
}

function boxes(
  context: CanvasRenderingContext2D,
  viewer: Viewer,
  theme: ITheme,
  lane: ILane,
  index: number
): void {
  const { signal, top } = lane;
  const radix = viewer.radixOf(viewer.rows[index]);
  const { width } = viewer.scale;
  const texts: [string, number][] = [];
  const small: Area[] = [];
  const [above, middle, below] = [top + 0.5, top + HIGH / 2, top + HIGH + 0.5];
  context.beginPath();
  const { busy, unknown } = values(viewer, lane, (left, right, value) => {
    if (right - left < SMALL) {
      small.push([left, right]);
      return;
    }
    context.moveTo(left, middle);
    context.lineTo(left + SLANT, above);
    context.lineTo(right - SLANT, above);
    context.lineTo(right, middle);
    context.lineTo(right - SLANT, below);
    context.lineTo(left + SLANT, below);
    context.lineTo(left, middle);
    // In the middle of what is seen of it.
    const [from, to] = [Math.max(left, 0), Math.min(right, width)];
    const text = fitted(valueText(signal, value, radix), Math.floor((to - from - 2 * SLANT) / CHARACTER));
    if (text !== '') {
      texts.push([text, (from + to) / 2]);
    }
  });
  context.strokeStyle = theme.bus;
  context.stroke();
  context.fillStyle = theme.bus;
  bars(context, small, top);
  fill(context, busy, top, theme.bus, 0.5);
  hatch(context, unknown, top, theme);
  context.fillStyle = theme.ink;
  context.textAlign = 'center';
  for (const [text, x] of texts) {
    context.fillText(text, x, middle + 1);
  }
}

/** Values that are too small for a box and a text: one band, with a line wherever one begins. */
function bars(context: CanvasRenderingContext2D, small: readonly Area[], top: number): void {
  let from = 0;
  small.forEach(([left, right], index) => {
    context.fillRect(Math.round(left), top, 1, HIGH);
    if (index + 1 === small.length || small[index + 1][0] !== right) {
      const x = Math.round(small[from][0]);
      const wide = Math.round(right) - x + 1;
      context.fillRect(x, top, wide, 1);
      context.fillRect(x, top + HIGH, wide, 1);
      from = index + 1;
    }
  });
}

/** As much of a text as there is room for, in characters; nothing when that tells nothing. */
function fitted(text: string, room: number): string {
  if (text.length <= room) {
    return text;
  }
  return room < 3 ? '' : `${text.slice(0, room - 1)}…`;
}

function fill(
  context: CanvasRenderingContext2D,
  found: readonly Area[],
  top: number,
  colour: string,
  alpha: number
): void {
  context.fillStyle = colour;
  context.globalAlpha = alpha;
  for (const [left, right] of found) {
    context.fillRect(left, top, Math.max(right - left, 1), HIGH + 1);
  }
  context.globalAlpha = 1;
}

/** Slanted lines, within a frame: a value that nobody knows. */
function hatch(
  context: CanvasRenderingContext2D,
  found: readonly Area[],
  top: number,
  theme: ITheme
): void {
  if (found.length === 0) {
    return;
  }
  fill(context, found, top, theme.unknown, 0.12);
  context.strokeStyle = theme.unknown;
  context.beginPath();
  for (const [left, right] of found) {
    // Lines of all areas are on one grid, and each ends at its area's edges.
    for (let x = Math.ceil((left - HIGH) / 7) * 7; x < right; x += 7) {
      const [from, to] = [Math.max(x, left), Math.min(x + HIGH, right)];
      context.moveTo(from, top + HIGH - (from - x));
      context.lineTo(to, top + HIGH - (to - x));
    }
    context.rect(left, top + 0.5, right - left, HIGH);
  }
  context.stroke();
}

function overlays(context: CanvasRenderingContext2D, viewer: Viewer, theme: ITheme, height: number): void {
  const { scale, waveform, range, cursors, active } = viewer;
  if (range !== null) {
    const [left, right] = [scale.x(range[0]), scale.x(range[1])];
    context.fillStyle = theme.bus;
    context.globalAlpha = 0.2;
    context.fillRect(Math.min(left, right), 0, Math.abs(right - left), height);
    context.globalAlpha = 1;
  }
  if (waveform.trigger !== null) {
    flag(context, scale.x(waveform.trigger), height, theme.unknown, [4, 3], 'T', theme);
  }
  cursors.forEach((time, which) => {
    if (time !== null) {
      flag(context, scale.x(time), height, theme.cursors[which], which === active ? [] : [6, 3], CURSORS[which], theme);
    }
  });
}

/** A line from top to bottom, with a letter on the ruler. */
function flag(
  context: CanvasRenderingContext2D,
  at: number,
  height: number,
  colour: string,
  dash: number[],
  letter: string,
  theme: ITheme
): void {
  const x = Math.round(at) + 0.5;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x, RULER - 14);
  context.lineTo(x, height);
  context.stroke();
  context.setLineDash([]);
  context.fillRect(x - 6, RULER - 15, 13, 14);
  context.fillStyle = theme.paper;
  context.textAlign = 'center';
  context.fillText(letter, x + 0.5, RULER - 7);
}
