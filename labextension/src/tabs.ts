import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';

/** Tabs of one kind in the main area: each is opened once, and is there again after a reload. */
export class Tabs<T extends Widget> {
  /** @param kind - in the tabs' ids, such as `log`. */
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly kind: string
  ) {
    this._tracker = new WidgetTracker({ namespace: `jupyter-fpga-${kind}` });
  }

  /**
   * Show a tab.
   *
   * @param key - tells it from others of its kind; `''` where there is only one.
   * @param make - makes its content when it isn't open yet.
   */
  show(key: string, make: () => T): MainAreaWidget<T> {
    const id = ['jupyter-fpga', this.kind, key].filter(part => part !== '').join('-');
    let tab = this._tracker.find(open => open.id === id);
    if (tab === undefined) {
      tab = new MainAreaWidget({ content: make() });
      tab.id = id;
      // What is in it has its own bar, or needs none.
      tab.toolbar.hide();
      void this._tracker.add(tab);
    }
    if (!tab.isAttached) {
      this.shell.add(tab, 'main');
    }
    this.shell.activateById(id);
    return tab;
  }

  /**
   * Open again what was open.
   *
   * @param command - opens one, with `args` of its content.
   */
  restore(
    restorer: ILayoutRestorer | null,
    command: string,
    args: (content: T) => ReadonlyPartialJSONObject = () => ({})
  ): void {
    void restorer?.restore(this._tracker, { command, args: tab => args(tab.content), name: tab => tab.id });
  }

  private readonly _tracker: WidgetTracker<MainAreaWidget<T>>;
}
