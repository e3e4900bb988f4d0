import { lanesOf, type IAction } from './history';

const NAMESPACE = 'http://www.w3.org/2000/svg';
/** How much of the past is shown, ms. */
export const SPAN = 60_000;
/** Of a lane, px. */
const LANE = 18;
const WIDTH = 1000;
/** Bars at most: the newest. */
const MOST = 400;

/** What ran in the last minute: a bar for each action, in as many lanes as were at work at once. */
export function drawTimeline(svg: SVGSVGElement, actions: IAction[], now: number, least: number): void {
  const from = now - SPAN;
  const lanes = lanesOf(actions.slice(-MOST));
  const count = Math.max(lanes.length, least);
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${count * LANE}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.style.height = `${count * LANE}px`;
  const parts: SVGElement[] = [];
  for (let lane = 0; lane < count; lane += 1) {
    parts.push(
      shape('rect', { x: 0, y: lane * LANE + 1, width: WIDTH, height: LANE - 2, class: 'jp-FpgaTimeline-lane' })
    );
    for (const action of lanes[lane] ?? []) {
      parts.push(bar(action, lane, from, now));
    }
  }
  svg.replaceChildren(...parts);
}

function bar(action: IAction, lane: number, from: number, now: number): SVGElement {
  const at = (time: number): number => Math.max(0, Math.min(WIDTH, ((time - from) / SPAN) * WIDTH));
  const begin = at(action.began ?? from);
  const end = at(action.ended ?? now);
  const element = shape('rect', {
    x: begin,
    y: lane * LANE + 2,
    // Most take some milliseconds, and are seen all the same.
    width: Math.max(2, end - begin),
    height: LANE - 4,
    class: `jp-FpgaTimeline-bar jp-mod-${action.state} jp-mod-hue${hue(action.function)}`
  });
  const title = document.createElementNS(NAMESPACE, 'title');
  const seconds = ((action.ended ?? now) - (action.began ?? now)) / 1000;
  title.textContent = `${action.function} · ${seconds.toFixed(seconds < 10 ? 2 : 0)} s · ${action.owner}`;
  element.append(title);
  return element;
}

/** One of six colours, always the same for a function. */
export function hue(name: string): number {
  let sum = 0;
  for (const letter of name) {
    sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  }
  return sum % 6;
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, String(value));
  }
  return element;
}
