import { LabIcon } from '@jupyterlab/ui-components';

/** A chip with its pins, drawn in the theme's own colour. */
export const chipIcon = new LabIcon({
  name: 'jupyter-fpga:chip',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<g class="jp-icon3" fill="#616161"><path d="M6 6h12v12H6z"/>' +
    '<path d="M8 2h2v3H8zm6 0h2v3h-2zM8 19h2v3H8zm6 0h2v3h-2zM2 8h3v2H2zm0 6h3v2H2zM19 8h3v2h-3zm0 6h3v2h-3z"/>' +
    '</g></svg>'
});

/** A page with a chip's pins: the lab's dashboard. */
export const dashboardIcon = new LabIcon({
  name: 'jupyter-fpga:dashboard',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<g class="jp-icon3" fill="#616161"><path d="M3 3h8v10H3zm10 0h8v6h-8zm0 8h8v10h-8zM3 15h8v6H3z"/></g></svg>'
});

// Each has a shape of its own: colour says nothing to one reader in twelve.
const SHAPES = {
  free: '<circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5"/>',
  busy:
    '<circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5"/>' +
    '<path d="M6 3v3l2 1.5" fill="none" stroke="currentColor" stroke-width="1.5"/>',
  held: '<circle cx="6" cy="6" r="5" fill="currentColor"/>',
  mine: '<path d="M6 0l1.8 3.9 4.2.5-3.1 2.9.8 4.2L6 9.4l-3.7 2.1.8-4.2L0 4.4l4.2-.5z" fill="currentColor"/>',
  failed: '<path d="M6 .5 12 11.5H0zM5.3 4.5v3.2h1.4V4.5zm0 4.2V10h1.4V8.7z" fill="currentColor"/>',
  waiting: '<path d="M1 5h2.4v2.4H1zm3.8 0h2.4v2.4H4.8zm3.8 0H11v2.4H8.6z" fill="currentColor"/>',
  running: '<path d="M2.5 1 11 6l-8.5 5z" fill="currentColor"/>',
  done: '<path d="M1 6.5 4.5 10 11 2.5" fill="none" stroke="currentColor" stroke-width="2"/>',
  cancelled: '<path d="M2 2l8 8M10 2l-8 8" fill="none" stroke="currentColor" stroke-width="2"/>'
};

export type Shape = keyof typeof SHAPES;

/** A small picture of how something is. Those who hear the page have the word beside it. */
export function shapeIcon(shape: Shape): HTMLSpanElement {
  const icon = document.createElement('span');
  icon.className = `jp-FpgaShape jp-mod-${shape}`;
  icon.setAttribute('aria-hidden', 'true');
  icon.innerHTML = `<svg width="12" height="12" viewBox="0 0 12 12">${SHAPES[shape]}</svg>`;
  return icon;
}
