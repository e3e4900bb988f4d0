/// <reference types="node" />
import { ReadableStream } from 'node:stream/web';
import { MessageChannel } from 'node:worker_threads';

import { plainTrans } from '../views/trans';
import { readVcd } from './reading';

// jsdom has none.
Object.assign(globalThis, { MessageChannel });

const HEAD = '$timescale 1 ns $end $var wire 1 ! a $end $enddefinitions $end\n';

/** A file in pieces of 100,000 bytes, and whether its reader gave it up. */
function fileOf(text: string): { body: globalThis.ReadableStream<Uint8Array>; givenUp: () => boolean } {
  const bytes = new TextEncoder().encode(text);
  let [at, givenUp] = [0, false];
  const body = new ReadableStream<Uint8Array>({
    pull: controller => {
      controller.enqueue(bytes.slice(at, (at += 100_000)));
      if (at >= bytes.length) {
        controller.close();
      }
    },
    cancel: () => {
      givenUp = true;
    }
  });
  return { body: body as unknown as globalThis.ReadableStream<Uint8Array>, givenUp: () => givenUp };
}

function changes(count: number): string {
  return HEAD + Array.from({ length: count }, (_, time) => `#${time}\n${time & 1}!\n`).join('');
}

beforeEach(() => {
  // Each look at the clock is a hundredth of a second later.
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => (now += 10));
});

test('the page is let do something else every few slices, and told how far it is', async () => {
  const text = changes(100_000);
  const done: number[] = [];
  const { waveform } = await readVcd(fileOf(text).body, plainTrans, bytes => done.push(bytes), new AbortController().signal);
  expect(waveform.signals[0].times).toHaveLength(100_000);
  expect(done.length).toBeGreaterThan(2);
  expect(done).toEqual([...done].sort((one, other) => one - other));
  expect(done[done.length - 1]).toBeLessThanOrEqual(text.length);
});

test('who closes the file needs the rest of it no more', async () => {
  const aborting = new AbortController();
  const file = fileOf(changes(1_000_000));
  const reading = readVcd(
    file.body,
    plainTrans,
    () => {
      aborting.abort();
    },
    aborting.signal
  );
  await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  expect(file.givenUp()).toBe(true);
});

test('what is no VCD file is refused at once', async () => {
  const file = fileOf('x'.repeat(1_000_000));
  const reading = readVcd(file.body, plainTrans, () => undefined, new AbortController().signal);
  await expect(reading).rejects.toThrow('This is not a VCD file: it begins with “xxxxxxxxxxxxxxxxxxxx”');
  expect(file.givenUp()).toBe(true);
});
