/** Words that a person reads, in their language. */

import { untranslated } from './translate';

/** What of JupyterLab's translation bundles is used; a view that has none speaks English. */
export interface ITrans {
  /** The text in the person's language, with `%1`, `%2` … replaced by the values. */
  __(text: string, ...values: (string | number)[]): string;
}

/** English, where there is no translator: in a notebook widget. */
export const plainTrans: ITrans = { __: untranslated };
