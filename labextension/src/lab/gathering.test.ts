import { settled } from '../testing/settled';
import { Gathering } from './gathering';

test('what changes while it asks is asked for once, together', async () => {
  const asked: string[][] = [];
  const gathering = new Gathering<string>(async changed => {
    asked.push([...changed]);
    await Promise.resolve();
  }, fail);
  gathering.add('a');
  gathering.add('b', 'c');
  gathering.add('b');
  await settled();
  expect(asked).toEqual([['a'], ['b', 'c']]);
});

test('a change is never missed, whenever it comes', async () => {
  const asked = new Set<number>();
  const gathering = new Gathering<number>(async changed => {
    await Promise.resolve();
    changed.forEach(change => asked.add(change));
  }, fail);
  for (let turn = 0; turn < 20; turn += 1) {
    const { size } = asked;
    gathering.add(size);
    for (let wait = 0; wait < turn; wait += 1) {
      await Promise.resolve();
    }
    gathering.add(size + 1);
    await settled();
    expect(asked.size).toBe(size + 2);
  }
});

test('it keeps its pace, goes on after a failure, and ends when it is closed', async () => {
  jest.useFakeTimers();
  let asked = 0;
  const failures: unknown[] = [];
  const gathering = new Gathering<string>(
    async () => {
      asked += 1;
      await Promise.resolve();
      throw new Error(`number ${asked}`);
    },
    error => failures.push(error),
    200
  );
  gathering.add('a');
  await jest.advanceTimersByTimeAsync(100);
  gathering.add('a');
  await jest.advanceTimersByTimeAsync(99);
  expect(asked).toBe(1);
  await jest.advanceTimersByTimeAsync(1);
  expect(asked).toBe(2);
  gathering.add('a');
  gathering.close();
  await jest.advanceTimersByTimeAsync(1000);
  expect(failures).toEqual([new Error('number 1'), new Error('number 2')]);
  jest.useRealTimers();
});

function fail(error: unknown): never {
  throw error;
}
