/** Words of a VCD file as they are in its bytes. */

export const [SPACE, DOLLAR, HASH, ZERO, ONE] = [32, 36, 35, 48, 49];
/** One for all: a file may have a million words in its definitions. */
const DECODER = new TextDecoder();
/** Digits of a code that fit into a number. */
const SHORT = 7;

export function text(bytes: Uint8Array, start: number, stop: number): string {
  return DECODER.decode(bytes.subarray(start, stop));
}

/** As much of a word as a sentence can carry: it may come from any file, of any size. */
export function shown(word: string): string {
  return word.slice(0, 20).replace(/[^ -~]/g, '?');
}

export function number(bytes: Uint8Array, start: number, stop: number): number {
  let value = 0;
  for (let at = start; at < stop; at++) {
    value = 10 * value + bytes[at] - ZERO;
  }
  return value;
}

/** A code as the key of a map: a number is found much faster than a text. */
export function keyOf(bytes: Uint8Array, start: number, stop: number): number | string {
  if (stop - start > SHORT) {
    return text(bytes, start, stop);
  }
  let key = 0;
  for (let at = start; at < stop; at++) {
    key = key * 95 + bytes[at] - SPACE;
  }
  return key;
}
