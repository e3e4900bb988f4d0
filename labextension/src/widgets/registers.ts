import type { IRenderContext } from '../anywidget';

function render({ el }: IRenderContext): void {
  el.textContent = '';
}

export default { render };
