/** Colours and weights in a tool's output: ECMA-48's "select graphic rendition", `ESC [ … m`. */

/** How text looks. */
export interface ILook {
  /** Such as `bold`. */
  readonly weights: readonly string[];
  /** Colours as CSS has them; empty: the text's own. */
  readonly foreground: string;
  readonly background: string;
}

/** A piece of a line in one look. */
export interface IPiece {
  text: string;
  look: ILook;
}

export const PLAIN: ILook = { weights: [], foreground: '', background: '' };

// Every escape sequence that tools write: control sequences, of which those that end in `m` are looks; titles and
// links, to their terminator; and the short ones.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/g;

const ESCAPE = '\x1b';

/** The text of a line without what makes it look. */
export function textOf(line: string): string {
  return line.includes(ESCAPE) ? line.replace(ESCAPES, '') : line;
}

/** A line that begins in a look, in pieces of one look each; and the look that it ends in. */
export function piecesOf(line: string, look: ILook): { pieces: IPiece[]; after: ILook } {
  const pieces: IPiece[] = [];
  let at = 0;
  if (line.includes(ESCAPE)) {
    for (const found of line.matchAll(ESCAPES)) {
      if (found.index > at) {
        pieces.push({ text: line.slice(at, found.index), look });
      }
      at = found.index + found[0].length;
      if (found[2] === 'm') {
        look = changed(look, found[1].split(/[;:]/).map(Number));
      }
    }
  }
  if (at < line.length) {
    pieces.push({ text: line.slice(at), look });
  }
  return { pieces, after: look };
}

const WEIGHTS = new Map([
  [1, 'bold'],
  [2, 'faint'],
  [3, 'italic'],
  [4, 'underline'],
  [9, 'strike']
]);
/** What 22 to 29 end. */
const ENDS = new Map([
  [22, ['bold', 'faint']],
  [23, ['italic']],
  [24, ['underline']],
  [29, ['strike']]
]);

function changed(look: ILook, codes: number[]): ILook {
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    const weight = WEIGHTS.get(code);
    const ended = ENDS.get(code);
    if (code === 0) {
      look = PLAIN;
    } else if (weight !== undefined) {
      look = { ...look, weights: [...look.weights.filter(name => name !== weight), weight] };
    } else if (ended !== undefined) {
      look = { ...look, weights: look.weights.filter(name => !ended.includes(name)) };
    } else if (code === 38 || code === 48) {
      const { colour, length } = extended(codes.slice(at + 1));
      look = code === 38 ? { ...look, foreground: colour } : { ...look, background: colour };
      at += length;
    } else if (code >= 30 && code <= 39) {
      look = { ...look, foreground: named(code - 30) };
    } else if (code >= 40 && code <= 49) {
      look = { ...look, background: named(code - 40) };
    } else if (code >= 90 && code <= 97) {
      look = { ...look, foreground: named(code - 90) };
    } else if (code >= 100 && code <= 107) {
      look = { ...look, background: named(code - 100) };
    }
  }
  return look;
}

/** One of the eight colours, which the style sheet fits to the theme; 8 and 9 are the text's own. */
function named(index: number): string {
  return index < 8 ? `var(--jp-FpgaLog-ansi${index})` : '';
}

/** The colour behind 38 or 48, and how many codes it takes: `5;n` of xterm's 256, or `2;r;g;b`. */
function extended(codes: number[]): { colour: string; length: number } {
  if (codes[0] === 2) {
    return { colour: `rgb(${codes.slice(1, 4).join(' ')})`, length: 4 };
  }
  const index = codes[1] ?? 0;
  if (index < 16) {
    return { colour: named(index % 8), length: 2 };
  }
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return { colour: `rgb(${grey} ${grey} ${grey})`, length: 2 };
  }
  const level = (place: number): number => {
    const step = Math.floor((index - 16) / place) % 6;
    return step === 0 ? 0 : 55 + 40 * step;
  };
  return { colour: `rgb(${level(36)} ${level(6)} ${level(1)})`, length: 2 };
}
