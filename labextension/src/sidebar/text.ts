/** A piece of text with a class. */
export function span(className: string, text: string): HTMLSpanElement {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
}

/** What stands small below a row's title: parts that there are, with dots between. */
export function secondLine(parts: string[], title?: string): HTMLSpanElement {
  const element = span('jp-FpgaRows-more', parts.filter(part => part !== '').join(' · '));
  if (title) {
    element.title = title;
  }
  return element;
}
