/** Signals as the kernel sends them: `jupyter_fpga/waveform/packed.py` says how, byte by byte. */

import { Signal, wordsFor, type IPart, type IWaveform, type Names } from './signal';

/** What the head says, which is JSON. */
interface IHead {
  end: number;
  seconds: number;
  unit: string;
  trigger: number | null;
  signals: {
    name: string;
    width: number;
    count: number;
    /** Bytes of a step in time. */
    step: 1 | 2 | 4 | 8;
    /** Whether some values are unknown. */
    unknown: boolean;
    names: Record<string, string> | null;
    parts: { name: string; lsb: number; width: number; names: Record<string, string> | null }[];
  }[];
}

const STEPS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: Float64Array } as const;

/** The waveform in a packet. Typed arrays are as the machine has its numbers, and all that run browsers have the low byte first. */
export function decode(packet: ArrayBuffer): IWaveform {
  const length = new DataView(packet).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(packet, 4, length))) as IHead;
  let at = 4 + length;
  // A copy, since a typed array must begin at a multiple of its words.
  const take = (bytes: number): ArrayBuffer => {
    at += bytes;
    return packet.slice(at - bytes, at);
  };
  const signals = head.signals.map(({ name, width, count, step, unknown, names, parts }) => {
    const times = new Float64Array(count);
    const steps = new STEPS[step](take(count * step));
    let time = 0;
    for (let index = 0; index < count; index++) {
      times[index] = time += steps[index];
    }
    const empty = wordsFor(width, 0);
    const words = wordsFor(width, count);
    words.set(new (empty.constructor as Uint8ArrayConstructor)(take(words.byteLength)));
    const bits = unknown ? new Uint8Array(take(Math.ceil(count / 8))) : null;
    const fields = parts.map((part): IPart => ({ ...part, names: namesOf(part.names) }));
    return new Signal(name, width, times, words, bits, namesOf(names), fields);
  });
  return { ...head, signals };
}

function namesOf(names: Record<string, string> | null): Names | null {
  return names === null ? null : new Map(Object.entries(names));
}
