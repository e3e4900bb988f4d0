/** Registers as a manifest describes them, and their values as people read them. */

/** What registers and fields have in common. */
export interface IShape {
  name: string;
  width: number;
  doc: string;
  signed: boolean;
  enum: Record<string, number> | null;
  access: 'rw' | 'ro' | 'wo';
}

/** Some bits of a register that have a name of their own. */
export interface IField extends IShape {
  lsb: number;
}

/** One register of the window; the elements of an array are registers of their own here. */
export interface IRegister extends IShape {
  /** Bytes from the start of the window. */
  offset: number;
  words: number;
  /** Bits, as decimal digits: a number of JavaScript's has 53. */
  reset: string;
  /** Reading changes something: it is never read for show. */
  side_effects: boolean;
  fields: IField[];
}

const WORD = 32n;

function mask(width: number): bigint {
  return (1n << BigInt(width)) - 1n;
}

/** A register's bits from its words, the most significant first. */
export function fromWords(words: number[]): bigint {
  return words.reduce((bits, word) => (bits << WORD) | BigInt(word), 0n);
}

/** The inverse of `fromWords`. */
export function toWords(bits: bigint, words: number): number[] {
  return Array.from({ length: words }, (_, index) =>
    Number((bits >> (WORD * BigInt(words - 1 - index))) & mask(32))
  );
}

/** The bits of one field. */
export function fieldBits(field: IField, bits: bigint): bigint {
  return (bits >> BigInt(field.lsb)) & mask(field.width);
}

/** A register's bits after a field was changed. */
export function withField(field: IField, bits: bigint, value: bigint): bigint {
  const place = mask(field.width) << BigInt(field.lsb);
  return (bits & ~place) | ((value & mask(field.width)) << BigInt(field.lsb));
}

/** The number that bits mean. */
export function valueOf(shape: IShape, bits: bigint): bigint {
  return shape.signed ? BigInt.asIntN(shape.width, bits) : bits;
}

/** The bits of a number. */
export function bitsOf(shape: IShape, value: bigint): bigint {
  return value & mask(shape.width);
}

/** The least and the greatest value. */
export function range(shape: IShape): [bigint, bigint] {
  return shape.signed ? [-(1n << BigInt(shape.width - 1)), mask(shape.width - 1)] : [0n, mask(shape.width)];
}

/** The name of a value, where it has one. */
export function nameOf(shape: IShape, value: bigint): string | undefined {
  return Object.entries(shape.enum ?? {}).find(([, known]) => BigInt(known) === value)?.[0];
}

/** A value for people: its name, or the number. */
export function shown(shape: IShape, bits: bigint): string {
  const value = valueOf(shape, bits);
  return nameOf(shape, value) ?? (shape.width > 32 && !shape.signed ? hex(shape, bits) : value.toString());
}

/** All digits of the bits. */
export function hex(shape: IShape, bits: bigint): string {
  return `0x${bits.toString(16).padStart(Math.ceil(shape.width / 4), '0')}`;
}

/** What a person wrote, as a value; the sentence that says what is taken instead when it can't be. */
export function parse(shape: IShape, text: string): bigint | string {
  const [low, high] = range(shape);
  const plain = text.trim().replaceAll('_', '');
  let value: bigint;
  try {
    // BigInt reads 0x and 0b, but no sign before them.
    value = plain.startsWith('-') ? -BigInt(plain.slice(1)) : BigInt(plain === '' ? 'none' : plain);
  } catch {
    return `${shape.name} takes a whole number, such as ${high} or ${hex(shape, bitsOf(shape, high))}.`;
  }
  return value < low || value > high ? `${shape.name} takes ${low} to ${high}.` : value;
}
