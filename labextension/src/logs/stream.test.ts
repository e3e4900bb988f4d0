import { Refusal } from '../lab/door';
import { FakeDoor } from '../testing/door';
import { LogStream } from './stream';

function numbered(from: number, to: number): string {
  return Array.from(
    { length: to - from + 1 },
    (_, index) => `${JSON.stringify({ seq: from + index, text: `line ${from + index}` })}\n`
  ).join('');
}

/** Pieces, and after them perhaps a loss. */
async function* pieces(all: string[], lost = false): AsyncGenerator<string> {
  for (const piece of all) {
    yield await Promise.resolve(piece);
  }
  if (lost) {
    throw new Refusal('no_answer', 'The connection to the lab was lost.');
  }
}

test('pieces that end anywhere become lines, and after a loss it goes on where it was', async () => {
  const door = new FakeDoor();
  const whole = numbered(1, 3);
  // The third line's beginning is lost with the connection, and comes again.
  door.texts['jobs/j/logs?follow=1&after=0'] = pieces(
    [whole.slice(0, 10), whole.slice(10, 60), whole.slice(60, 70)],
    true
  );
  door.texts['jobs/j/logs?follow=1&after=2'] = pieces([numbered(3, 5)]);
  const told: string[] = [];
  const stream = new LogStream(door, 'j', {
    onText: text => told.push(text),
    onEnd: () => told.push('end'),
    onTrouble: error => told.push(error.message)
  });
  await stream.read();
  expect(told).toEqual(['line 1\nline 2\n', 'The connection to the lab was lost.']);
  await stream.read();
  expect(told.slice(2)).toEqual(['line 3\nline 4\nline 5\n', 'end']);
  await stream.read();
  expect(door.asked.length).toBe(2);
});

test('a log that is closed tells nothing more', async () => {
  const door = new FakeDoor();
  door.texts['jobs/j/logs?follow=1&after=0'] = pieces([], true);
  const told: string[] = [];
  const stream = new LogStream(door, 'j', {
    onText: text => told.push(text),
    onEnd: () => told.push('end'),
    onTrouble: error => told.push(error.message)
  });
  const reading = stream.read();
  stream.close();
  await reading;
  expect(told).toEqual([]);
});
