/** Making elements. */

/** Attributes; `true` is one without a value, `false` and `undefined` are none. */
type Attributes = Record<string, string | number | boolean | undefined>;

/** An element with attributes and what is in it; texts are never read as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : String(value));
    }
  }
  made.append(...content);
  return made;
}
