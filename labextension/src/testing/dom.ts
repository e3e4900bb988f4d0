/** The part of a view that a test is about; fails when there is none. */
export function part<K extends keyof HTMLElementTagNameMap>(node: ParentNode, selector: K): HTMLElementTagNameMap[K];
export function part(node: ParentNode, selector: string): HTMLElement;
export function part(node: ParentNode, selector: string): HTMLElement {
  const found = node.querySelector<HTMLElement>(selector);
  if (found === null) {
    throw new Error(`There is no ${selector}.`);
  }
  return found;
}

/** All that a selector finds, as text. */
export function texts(node: ParentNode, selector: string): string[] {
  return [...node.querySelectorAll(selector)].map(element => element.textContent ?? '');
}
