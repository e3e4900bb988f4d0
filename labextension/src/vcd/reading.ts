/** Reads a file without making the page wait. */

import type { IFound } from './definitions';
import { VcdParser } from './parser';
import type { ITrans } from '../views/trans';

/**
 * Bytes that are parsed in one go, in a millisecond or less; and after how long the page gets its turn, ms. On a machine
 * that is thirty times slower it still waits for no more than 50 ms, which nobody notices.
 */
const SLICE = 1 << 14;
const PATIENCE = 20;

/** What the page needs to do in between. */
function pause(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    // A message comes at once; a timer would wait for some milliseconds each time.
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/**
 * Parse a file as it arrives.
 *
 * @param onProgress - called with the bytes that are done, whenever the page has been let do something else.
 * @param signal - ends it.
 * @throws VcdError, or what the signal says.
 */
export async function readVcd(
  body: ReadableStream<Uint8Array>,
  trans: ITrans,
  onProgress: (bytes: number) => void,
  signal: AbortSignal
): Promise<IFound> {
  const parser = new VcdParser(trans);
  const reader = body.getReader();
  let began = performance.now();
  let bytes = 0;
  try {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined) {
        return parser.finish();
      }
      for (let at = 0; at < value.length; at += SLICE) {
        parser.feed(value.subarray(at, at + SLICE));
        bytes += Math.min(SLICE, value.length - at);
        if (performance.now() - began > PATIENCE) {
          onProgress(bytes);
          await pause();
          signal.throwIfAborted();
          began = performance.now();
        }
      }
    }
  } finally {
    // Whether it was wrong or isn't wanted any more: the rest needn't come.
    await reader.cancel();
  }
}
