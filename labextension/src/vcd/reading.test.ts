/// <reference types="node" />
import { ReadableStream } from 'node:stream/web';
import { MessageChannel } from 'node:worker_threads';

import { plainTrans } from '../views/trans';
import { VcdParser } from './parser';
import { readVcd } from './reading';

// jsdom has none.
Object.assign(globalThis, { MessageChannel });

const HEAD = '$timescale 1 ns $end $var wire 1 ! a $end $enddefinitions $end\n';

/** A file in pieces, and whether its reader gave it up. */
function fileOf(text: string, size = 100_000): { body: globalThis.ReadableStream<Uint8Array>; givenUp: () => boolean } {
  const bytes = new TextEncoder().encode(text);
  let [at, givenUp] = [0, false];
  const body = new ReadableStream<Uint8Array>({
    pull: controller => {
      controller.enqueue(bytes.slice(at, (at += size)));
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

test.each([1, 15, 100])('where 64 KiB take %i ms, the page waits for 50 ms at most', async cost => {
  const waits: number[] = [];
  let [now, resumed] = [0, 0];
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const { feed } = VcdParser.prototype;
  jest.spyOn(VcdParser.prototype, 'feed').mockImplementation(function (this: VcdParser, bytes) {
    now += (cost * bytes.length) / 65_536;
    feed.call(this, bytes);
  });
  // The page has its turn whenever a message is awaited.
  const Channel = function (): MessageChannel {
    waits.push(now - resumed);
    resumed = now;
    return new MessageChannel();
  };
  Object.assign(globalThis, { MessageChannel: Channel });
  // However much comes at once.
  const text = changes(300_000);
  await readVcd(fileOf(text, 1_000_000).body, plainTrans, () => undefined, new AbortController().signal);
  Object.assign(globalThis, { MessageChannel });
  jest.restoreAllMocks();
  waits.push(now - resumed);
  expect(now).toBeCloseTo((cost * text.length) / 65_536);
  expect(waits.length).toBeGreaterThan(now / 50);
  expect(Math.max(...waits)).toBeLessThanOrEqual(50);
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
