import type { IModel } from '../anywidget';
import { KernelLog } from './kernelLog';

type Listener = (...values: unknown[]) => void;

/** A widget's model whose kernel is the test. */
class FakeModel implements IModel {
  readonly sent: unknown[] = [];
  private readonly _listeners: Listener[] = [];

  constructor(private readonly _served: boolean) {}

  get(): unknown {
    return this._served;
  }

  set(): void {
    throw new Error('A log sets nothing.');
  }

  save_changes(): void {
    throw new Error('A log saves nothing.');
  }

  on(_event: string, listener: (...values: never[]) => void): void {
    this._listeners.push(listener as Listener);
  }

  off(): void {
    throw new Error('A log listens as long as there is its model.');
  }

  send(message: unknown): void {
    this.sent.push(message);
  }

  tell(at: number, text: string, ended: string | null = null, trouble = ''): void {
    // As a part of what came over the wire.
    const bytes = new TextEncoder().encode(`xx${text}`);
    const buffers = text === '' ? [] : [new DataView(bytes.buffer, 2)];
    for (const listener of this._listeners) {
      listener({ log: { at, ended, trouble } }, buffers);
      listener({ relay: [] }, []);
    }
  }
}

let heard: string[];
const reader = {
  onText: (text: string) => heard.push(text),
  onEnd: (status: string) => heard.push(`ended: ${status}`),
  onTrouble: (why: string) => {
    if (why !== '') {
      heard.push(`trouble: ${why}`);
    }
  }
};

beforeEach(() => {
  jest.useFakeTimers();
  heard = [];
});

afterEach(() => {
  jest.useRealTimers();
});

test('a page that was there from the beginning asks for nothing, and hears all of it once', () => {
  const model = new FakeModel(false);
  const log = new KernelLog(model);
  model.tell(0, '');
  jest.advanceTimersByTime(60_000);
  const end = log.read(reader);
  model.tell(0, 'one\n');
  model.tell(4, 'two 😀\n');
  model.tell(11, '', 'complete');
  expect(heard).toEqual(['one\n', 'two 😀\n', 'ended: complete']);
  expect(model.sent).toEqual([]);
  end();
  model.tell(11, 'more\n');
  expect(heard).toHaveLength(3);
});

test('a view that is opened later is told what has come before', () => {
  const model = new FakeModel(false);
  const log = new KernelLog(model);
  model.tell(0, 'one\n');
  model.tell(4, 'two\n', 'failed', 'The lab is gone.');
  log.read(reader);
  expect(heard).toEqual(['one\ntwo\n', 'trouble: The lab is gone.', 'ended: failed']);
});

test('a page that came later asks after a while, or as soon as it sees that something is missing', () => {
  const late = new FakeModel(false);
  new KernelLog(late).read(reader);
  jest.advanceTimersByTime(999);
  expect(late.sent).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(late.sent).toEqual([{ log: { from: 0 } }]);
  late.tell(0, 'one\n');

  const missing = new FakeModel(false);
  new KernelLog(missing).read(reader);
  missing.tell(4, 'two\n');
  expect(missing.sent).toEqual([{ log: { from: 0 } }]);
  missing.tell(0, 'one\ntwo\n');
  expect(heard).toEqual(['one\n', 'one\ntwo\n']);
});

test('what another page has asked for is taken as far as it is new', () => {
  const model = new FakeModel(false);
  new KernelLog(model).read(reader);
  model.tell(0, 'one\n');
  model.tell(0, 'one\ntwo\n');
  model.tell(0, 'one\n');
  model.tell(2, 'e\ntwo\nthree\n');
  expect(heard).toEqual(['one\n', 'two\n', 'three\n']);
  expect(model.sent).toEqual([]);
});

test('where the kernel leaves the log to the page, a page that can’t read it asks at once', () => {
  const model = new FakeModel(true);
  new KernelLog(model);
  expect(model.sent).toEqual([{ log: { from: 0 } }]);
});
