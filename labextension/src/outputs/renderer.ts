import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel } from '@lumino/widgets';

/** Of an output that is a view of ours: see `notebook/widgets/_view.py`. */
export const VIEW_TYPE = 'application/vnd.jupyter-fpga.view+json';
/** What ipywidgets renders. */
export const WIDGET_TYPE = 'application/vnd.jupyter.widget-view+json';
const STATIC_TYPE = 'text/html';

/** Kernel statuses in which nothing that a view asks of the kernel is answered, now or later. */
const GONE = new Set(['dead', 'terminating', 'restarting', 'autorestarting']);

/**
 * An output that is a view of ours: its static form, until ipywidgets has the live one on the page, and again when that
 * has lost its kernel. In a notebook that was opened again there is no model behind a view, and ipywidgets has nothing
 * but a message about that.
 */
export class ViewRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(rendermime: IRenderMimeRegistry, session: ISessionContext) {
    super();
    this.addClass('jp-FpgaView');
    this._rendermime = rendermime;
    this._session = session;
    this.addWidget(this._still);
    this.addWidget(this._live);
    this._live.hide();
    this._changes = new MutationObserver(this._choose);
    session.statusChanged.connect(this._choose);
    session.kernelChanged.connect(this._choose);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    await this._renderStill(model);
    // ipywidgets knows how to reach a notebook's widgets only when the session is ready, and sets itself up then: what
    // it renders before has to wait for ever.
    void this._session.ready.then(() => setTimeout(() => void this._renderLive(model)));
  }

  override dispose(): void {
    this._changes.disconnect();
    this._session.statusChanged.disconnect(this._choose);
    this._session.kernelChanged.disconnect(this._choose);
    super.dispose();
  }

  private async _renderStill(model: IRenderMime.IMimeModel): Promise<void> {
    const renderer = this._rendermime.createRenderer(STATIC_TYPE);
    await renderer.renderModel(model);
    if (this.isDisposed) {
      return;
    }
    clear(this._still);
    this._still.addWidget(renderer);
  }

  private async _renderLive(model: IRenderMime.IMimeModel): Promise<void> {
    if (this.isDisposed || !this._rendermime.mimeTypes.includes(WIDGET_TYPE) || this._kernel() === null) {
      return;
    }
    this._changes.disconnect();
    clear(this._live);
    this._kernelOfLive = this._kernel();
    const renderer = this._rendermime.createRenderer(WIDGET_TYPE);
    this._changes.observe(renderer.node, { childList: true, subtree: true, attributeFilter: ['class'] });
    this._live.addWidget(renderer);
    // ipywidgets writes into what it renders that the view is gone; the notebook keeps the output as it was.
    const view = { ...(model.data[WIDGET_TYPE] as object) };
    const data = { ...model.data, [WIDGET_TYPE]: view } as IRenderMime.IMimeModel['data'];
    await renderer.renderModel(this._rendermime.createModel({ data, trusted: model.trusted }));
  }

  /** The kernel that could answer a view, by its id. */
  private _kernel(): string | null {
    const kernel = this._session.session?.kernel;
    return kernel && !GONE.has(kernel.status) ? kernel.id : null;
  }

  /** Show the live form while there is one that has its kernel. */
  private readonly _choose = (): void => {
    if (this.isDisposed) {
      return;
    }
    const kernel = this._kernel();
    const alive = kernel !== null && kernel === this._kernelOfLive && hasView(this._live);
    this._live.setHidden(!alive);
    this._still.setHidden(alive);
  };

  private readonly _rendermime: IRenderMimeRegistry;
  private readonly _session: ISessionContext;
  private readonly _changes: MutationObserver;
  private readonly _still = new Panel();
  private readonly _live = new Panel();
  private _kernelOfLive: string | null = null;
}

/** Whether ipywidgets has put a view here that has drawn something, and whose model is in the kernel. */
function hasView(panel: Panel): boolean {
  const view = panel.node.querySelector(':scope > * > .lm-Widget');
  return view !== null && view.hasChildNodes() && !view.classList.contains('jupyter-widgets-disconnected');
}

function clear(panel: Panel): void {
  for (const child of [...panel.widgets]) {
    child.dispose();
  }
}
