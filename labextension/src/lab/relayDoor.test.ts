import type { IModel } from '../anywidget';
import { RelayDoor } from './relayDoor';

/** The kernel's end. */
class Kernel implements IModel {
  readonly sent: { message: Record<string, unknown>; buffers: ArrayBuffer[] }[] = [];
  private _listener: (content: unknown, buffers: DataView[]) => void = () => undefined;

  get(): unknown {
    return undefined;
  }
  set(): void {
    throw new Error('nothing is set');
  }
  save_changes(): void {
    throw new Error('nothing is set');
  }
  on(_: string, listener: (...values: never[]) => void): void {
    this._listener = listener as typeof this._listener;
  }
  off(): void {
    this._listener = () => undefined;
  }
  send(message: unknown, _?: undefined, buffers: ArrayBuffer[] = []): void {
    this.sent.push({ message: message as Record<string, unknown>, buffers });
  }

  say(relay: object[], buffers: DataView[] = []): void {
    this._listener({ relay }, buffers);
  }

  /** The number of what was sent last. */
  get id(): unknown {
    return this.sent[this.sent.length - 1].message['id'];
  }
}

test('requests are answered by their numbers', async () => {
  const kernel = new Kernel();
  const door = new RelayDoor(kernel);
  const first = door.request('GET', 'fpga');
  const one = kernel.id;
  const second = door.request('POST', 'fpga/0/session/renew', {});
  expect(kernel.sent[1].message).toMatchObject({ relay: 'request', method: 'POST', body: {} });
  kernel.say([
    { is: 'answer', id: kernel.id, body: { two: 2 } },
    { is: 'answer', id: one, body: [1] }
  ]);
  expect(await first).toEqual([1]);
  expect(await second).toEqual({ two: 2 });
});

test('a refusal has the code and the sentence of the lab', async () => {
  const kernel = new Kernel();
  const asked = new RelayDoor(kernel).request('GET', 'fpga/9');
  kernel.say([{ is: 'refusal', id: kernel.id, code: 'fpga_not_found', message: 'There is no board 9.' }]);
  await expect(asked).rejects.toMatchObject({
    name: 'Refusal',
    code: 'fpga_not_found',
    message: 'There is no board 9.'
  });
});

test('a socket is one to whoever uses it', () => {
  const kernel = new Kernel();
  const socket = new RelayDoor(kernel).socket('fpga/0/stream', { design: 'abc' });
  expect(kernel.sent[0].message).toMatchObject({ relay: 'open', path: 'fpga/0/stream', query: { design: 'abc' } });
  const heard: unknown[] = [];
  socket.onopen = () => heard.push('open');
  socket.onmessage = message => heard.push(message.data);
  socket.onclose = ({ code, reason }) => heard.push([code, reason]);
  const data = new DataView(Uint8Array.from([9, 1, 2, 3]).buffer, 1, 3);
  kernel.say([{ is: 'open', id: kernel.id }]);
  expect(socket.readyState).toBe(WebSocket.OPEN);
  kernel.say(
    [
      { is: 'text', id: kernel.id, text: 'hello' },
      { is: 'binary', id: kernel.id, buffer: 0 },
      { is: 'closed', id: kernel.id, code: 4410, reason: 'over' }
    ],
    [data]
  );
  expect(heard).toEqual(['open', 'hello', Uint8Array.from([1, 2, 3]).buffer, [4410, 'over']]);
  socket.send(Uint8Array.from([7]).buffer);
  expect(kernel.sent[1]).toMatchObject({ message: { relay: 'send' }, buffers: [Uint8Array.from([7]).buffer] });
  socket.close();
  expect(kernel.sent[2].message).toMatchObject({ relay: 'close' });
});

test('what is meant for another view of the model is left alone', () => {
  const kernel = new Kernel();
  new RelayDoor(kernel);
  expect(() => {
    kernel.say([{ is: 'answer', id: -1, body: 1 }, { is: 'text', id: -1, text: '' }]);
  }).not.toThrow();
});
