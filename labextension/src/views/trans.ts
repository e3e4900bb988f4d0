/** How a view gets its words: from the plugin that shows it, or in English. */

/** What views use of JupyterLab's translation bundles. */
export interface ITrans {
  /** The text in the reader's language, with `%1`, `%2` … replaced by the values. */
  __(text: string, ...values: Value[]): string;
  /** The one text or the other, as the number wants it; `%1` is the number, the values come behind it. */
  _n(one: string, many: string, number: number, ...values: Value[]): string;
}

type Value = string | number;

/** English, where there is no translator: in a notebook widget. */
export const plainTrans: ITrans = {
  __: (text, ...values) => text.replace(/%(\d)/g, (whole, place) => String(values[Number(place) - 1] ?? whole)),
  _n: (one, many, number, ...values) => plainTrans.__(number === 1 ? one : many, number, ...values)
};
