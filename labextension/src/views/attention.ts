/** Whether somebody looks: what is out of the window, or in a hidden tab, costs the board and the lab nothing. */
export class Attention {
  /** @param tell - told at each change; somebody looks until told otherwise. */
  constructor(node: Element, tell: (looking: boolean) => void) {
    this._tell = tell;
    this._observer = new IntersectionObserver(entries => {
      this._inView = entries[entries.length - 1].isIntersecting;
      this._look();
    });
    this._observer.observe(node);
    document.addEventListener('visibilitychange', this._look);
  }

  dispose(): void {
    this._observer.disconnect();
    document.removeEventListener('visibilitychange', this._look);
  }

  private readonly _look = (): void => {
    const looking = this._inView && !document.hidden;
    if (looking !== this._looking) {
      this._looking = looking;
      this._tell(looking);
    }
  };

  private readonly _tell: (looking: boolean) => void;
  private readonly _observer: IntersectionObserver;
  private _inView = true;
  private _looking = true;
}
