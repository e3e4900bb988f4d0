/** Parts that the dashboard is made of. */

let sections = 0;

/** A section with its heading, and where its content goes. */
export function section(title: string): { node: HTMLElement; content: HTMLElement } {
  const node = document.createElement('section');
  const heading = document.createElement('h2');
  heading.textContent = title;
  sections += 1;
  heading.id = `jupyter-fpga-dashboard-${sections}`;
  node.setAttribute('aria-labelledby', heading.id);
  const content = document.createElement('div');
  node.append(heading, content);
  return { node, content };
}

/** A table; or a sentence when it has no rows. */
export function table(headings: string[], rows: (string | number)[][], empty: string): HTMLElement {
  if (rows.length === 0) {
    const sentence = document.createElement('p');
    sentence.textContent = empty;
    return sentence;
  }
  const element = document.createElement('table');
  const head = element.createTHead().insertRow();
  for (const text of headings) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = text;
    head.append(cell);
  }
  const body = element.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) {
      const cell = line.insertCell();
      cell.textContent = String(value);
      cell.classList.toggle('jp-mod-number', typeof value === 'number');
    }
  }
  return element;
}
