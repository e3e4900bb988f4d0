import type { IRenderContext } from './model';

function render({ el }: IRenderContext): void {
  el.textContent = '';
}

export default { render };
