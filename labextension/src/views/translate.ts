/** How a view gets its words: a JupyterLab plugin gives its translator, a notebook widget nothing. */

/** `translate('%1 of %2', 3, 10)`: the sentence in the reader's language, with its values. */
export type ITranslate = (sentence: string, ...values: (string | number)[]) => string;

/** The sentence as it is. */
export const untranslated: ITranslate = (sentence, ...values) =>
  sentence.replace(/%(\d)/g, (whole, place) => String(values[Number(place) - 1] ?? whole));
