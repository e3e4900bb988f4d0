/** The theme's colours as a canvas takes them. */

/** What is drawn in which colour. */
export interface ITheme {
  paper: string;
  ink: string;
  faint: string;
  grid: string;
  bit: string;
  bus: string;
  unknown: string;
  cursors: readonly [string, string];
  chosen: string;
  font: string;
}

/** The colours of an element, out of the variables that `style.ts` takes from JupyterLab or has itself. */
export function themeOf(element: Element): ITheme {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--fw-${name}`).trim();
  return {
    paper: colour('paper'),
    ink: colour('ink'),
    faint: colour('faint'),
    grid: colour('grid'),
    bit: colour('bit'),
    bus: colour('bus'),
    unknown: colour('unknown'),
    cursors: [colour('a'), colour('b')],
    chosen: colour('chosen'),
    font: `11px ${colour('font')}`
  };
}

/**
 * Be told when the theme has changed: JupyterLab's, or the browser's own.
 *
 * @returns a function that ends it.
 */
export function onThemeChange(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  // JupyterLab tells it on the body, and swaps the style sheet with the variables.
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name', 'class']
  });
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', listener);
  return () => {
    observer.disconnect();
    dark.removeEventListener('change', listener);
  };
}
