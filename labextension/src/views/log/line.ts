import type { IPiece } from './ansi';

/** One line as an element: its pieces in their looks, and in them what is looked for, marked. */
export function lineElement(pieces: IPiece[], wanted: string): HTMLDivElement {
  const element = document.createElement('div');
  const marks =
    wanted === ''
      ? []
      : placesOf(
          pieces
            .map(piece => piece.text)
            .join('')
            .toLowerCase(),
          wanted
        );
  let begin = 0;
  for (const { text, look } of pieces) {
    const nodes = marked(text, begin, marks, wanted.length);
    begin += text.length;
    if (look.weights.length === 0 && look.foreground === '' && look.background === '') {
      element.append(...nodes);
      continue;
    }
    const span = document.createElement('span');
    span.className = look.weights.join(' ');
    span.style.color = look.foreground;
    span.style.background = look.background;
    span.append(...nodes);
    element.append(span);
  }
  return element;
}

function placesOf(text: string, wanted: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    places.push(at);
  }
  return places;
}

/** The text of a piece that begins at `begin` in its line: a mark may reach over several pieces. */
function marked(text: string, begin: number, marks: number[], length: number): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  for (const mark of marks) {
    const from = Math.max(0, mark - begin);
    const to = Math.min(text.length, mark + length - begin);
    if (from >= to) {
      continue;
    }
    if (from > at) {
      nodes.push(document.createTextNode(text.slice(at, from)));
    }
    const element = document.createElement('mark');
    element.textContent = text.slice(from, to);
    nodes.push(element);
    at = to;
  }
  if (at < text.length) {
    nodes.push(document.createTextNode(text.slice(at)));
  }
  return nodes;
}
