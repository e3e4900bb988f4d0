import { FakeModel } from '../testing/model';
import { KernelLog } from './kernelLog';

/** The kernel sends a part of the log. */
function tell(model: FakeModel, at: number, text: string, ended: string | null = null, trouble = ''): void {
  // As a part of what came over the wire.
  const bytes = new TextEncoder().encode(`xx${text}`);
  model.say({ log: { at, ended, trouble } }, text === '' ? [] : [new DataView(bytes.buffer, 2)]);
  model.say({ relay: [] });
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
  const model = new FakeModel();
  const log = new KernelLog(model);
  tell(model, 0, '');
  jest.advanceTimersByTime(60_000);
  const end = log.read(reader);
  tell(model, 0, 'one\n');
  tell(model, 4, 'two 😀\n');
  tell(model, 11, '', 'complete');
  expect(heard).toEqual(['one\n', 'two 😀\n', 'ended: complete']);
  expect(model.sent).toEqual([]);
  end();
  tell(model, 11, 'more\n');
  expect(heard).toHaveLength(3);
});

test('a view that is opened later is told what has come before', () => {
  const model = new FakeModel();
  const log = new KernelLog(model);
  tell(model, 0, 'one\n');
  tell(model, 4, 'two\n', 'failed', 'The lab is gone.');
  log.read(reader);
  expect(heard).toEqual(['one\ntwo\n', 'trouble: The lab is gone.', 'ended: failed']);
});

test('a page that came later asks after a while, or as soon as it sees that something is missing', () => {
  const late = new FakeModel();
  new KernelLog(late).read(reader);
  jest.advanceTimersByTime(999);
  expect(late.sent).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(late.sent).toEqual([{ log: { from: 0 } }]);
  tell(late, 0, 'one\n');

  const missing = new FakeModel();
  new KernelLog(missing).read(reader);
  tell(missing, 4, 'two\n');
  expect(missing.sent).toEqual([{ log: { from: 0 } }]);
  tell(missing, 0, 'one\ntwo\n');
  expect(heard).toEqual(['one\n', 'one\ntwo\n']);
});

test('what another page has asked for is taken as far as it is new', () => {
  const model = new FakeModel();
  new KernelLog(model).read(reader);
  tell(model, 0, 'one\n');
  tell(model, 0, 'one\ntwo\n');
  tell(model, 0, 'one\n');
  tell(model, 2, 'e\ntwo\nthree\n');
  expect(heard).toEqual(['one\n', 'two\n', 'three\n']);
  expect(model.sent).toEqual([]);
});

test('where the kernel leaves the log to the page, a page that can’t read it asks at once', () => {
  const model = new FakeModel({ served: true });
  new KernelLog(model);
  expect(model.sent).toEqual([{ log: { from: 0 } }]);
});
