/** The part of a view that a test is about; fails when there is none. */
export function part<T extends Element = HTMLElement>(node: ParentNode, selector: string): T {
  const found = node.querySelector<T>(selector);
  if (found === null) {
    throw new Error(`There is no ${selector}.`);
  }
  return found;
}

/** All that a selector finds, as text. */
export function texts(node: ParentNode, selector: string): string[] {
  return [...node.querySelectorAll(selector)].map(element => element.textContent ?? '');
}
