/** Records that the lab was asked for. */
export interface IFound<T> {
  records: T[];
  /** Whether there are no others. */
  all: boolean;
}

/**
 * Records of one kind as the lab had them last.
 *
 * @typeParam K - what a record is called.
 */
export class Kept<K, T> {
  /**
   * @param key - a record's.
   * @param face - what of a record is seen: with the same face it is as before.
   * @param order - in which they are listed.
   * @param most - how many are kept, the first ones.
   */
  constructor(
    private readonly key: (record: T) => K,
    private readonly face: (record: T) => string,
    private readonly order: (one: T, other: T) => number,
    private readonly most = Infinity
  ) {}

  /** In their order. */
  get all(): readonly T[] {
    return this._all;
  }

  get(key: K): T | undefined {
    return this._all.find(record => this.key(record) === key);
  }

  /** Take what was found; returns keys of what is new, gone, or otherwise than before. */
  take({ records, all }: IFound<T>): K[] {
    const before = this._byKey(this._all);
    const found = this._byKey(records);
    const gone = all ? [...before.keys()].filter(key => !found.has(key)) : [];
    const fresh = [...found].filter(([key, record]) => {
      const old = before.get(key);
      return old === undefined || this.face(old) !== this.face(record);
    });
    const changed = [...gone, ...fresh.map(([key]) => key)];
    if (changed.length > 0) {
      const after = all ? found : new Map([...before, ...found]);
      this._all = [...after.values()].sort(this.order).slice(0, this.most);
    }
    return changed;
  }

  private _byKey(records: readonly T[]): Map<K, T> {
    return new Map(records.map(record => [this.key(record), record]));
  }

  private _all: T[] = [];
}
