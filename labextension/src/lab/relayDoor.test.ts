import { FakeModel } from '../testing/model';
import { RelayDoor } from './relayDoor';

/** The number of what was sent last. */
function last(kernel: FakeModel): unknown {
  return kernel.sent[kernel.sent.length - 1]['id'];
}

/** The kernel sends what the lab has said. */
function relay(kernel: FakeModel, items: object[], buffers: DataView[] = []): void {
  kernel.say({ relay: items }, buffers);
}

test('requests are answered by their numbers', async () => {
  const kernel = new FakeModel();
  const door = new RelayDoor(kernel);
  const first = door.request('GET', 'fpga');
  const one = last(kernel);
  const second = door.request('POST', 'fpga/0/session/renew', {});
  expect(kernel.sent[1]).toMatchObject({ relay: 'request', method: 'POST', body: {} });
  relay(kernel, [
    { is: 'answer', id: last(kernel), body: { two: 2 } },
    { is: 'answer', id: one, body: [1] }
  ]);
  expect(await first).toEqual([1]);
  expect(await second).toEqual({ two: 2 });
});

test('a refusal has the code and the sentence of the lab', async () => {
  const kernel = new FakeModel();
  const asked = new RelayDoor(kernel).request('GET', 'fpga/9');
  relay(kernel, [{ is: 'refusal', id: last(kernel), code: 'fpga_not_found', message: 'There is no board 9.' }]);
  await expect(asked).rejects.toMatchObject({
    name: 'Refusal',
    code: 'fpga_not_found',
    message: 'There is no board 9.'
  });
});

test('a socket is one to whoever uses it', () => {
  const kernel = new FakeModel();
  const socket = new RelayDoor(kernel).socket('fpga/0/stream', { design: 'abc' });
  expect(kernel.sent[0]).toMatchObject({ relay: 'open', path: 'fpga/0/stream', query: { design: 'abc' } });
  const heard: unknown[] = [];
  socket.onopen = () => heard.push('open');
  socket.onmessage = message => heard.push(message.data);
  socket.onclose = ({ code, reason }) => heard.push([code, reason]);
  const data = new DataView(Uint8Array.from([9, 1, 2, 3]).buffer, 1, 3);
  relay(kernel, [{ is: 'open', id: last(kernel) }]);
  expect(socket.readyState).toBe(WebSocket.OPEN);
  relay(
    kernel,
    [
      { is: 'text', id: last(kernel), text: 'hello' },
      { is: 'binary', id: last(kernel), buffer: 0 },
      { is: 'closed', id: last(kernel), code: 4410, reason: 'over' }
    ],
    [data]
  );
  expect(heard).toEqual(['open', 'hello', Uint8Array.from([1, 2, 3]).buffer, [4410, 'over']]);
  socket.send(Uint8Array.from([7]).buffer);
  expect(kernel.sent[1]).toMatchObject({ relay: 'send' });
  expect(kernel.buffers[1]).toEqual([Uint8Array.from([7]).buffer]);
  socket.close();
  expect(kernel.sent[2]).toMatchObject({ relay: 'close' });
});

test('what is meant for another view of the model is left alone', () => {
  const kernel = new FakeModel();
  new RelayDoor(kernel);
  expect(() => {
    relay(kernel, [{ is: 'answer', id: -1, body: 1 }, { is: 'text', id: -1, text: '' }]);
  }).not.toThrow();
});
