/** So many are remembered. */
const KEPT = 100;
const KEY = 'jupyter-fpga:said';

/** What was said in this tab of the browser, which is what outlives a reload and nothing else. */
export class Said {
  has(what: string): boolean {
    return this._read().includes(what);
  }

  add(what: string): void {
    sessionStorage.setItem(KEY, JSON.stringify([...this._read(), what].slice(-KEPT)));
  }

  private _read(): string[] {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as string[];
  }
}
