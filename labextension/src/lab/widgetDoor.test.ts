import { FakeModel } from '../testing/model';
import { part } from '../testing/dom';
import countdown from '../widgets/countdown';
import picker from '../widgets/picker';

test('a view that goes away hears its model no more, and closes what it had open', () => {
  const model = new FakeModel({ name: 'pwm', fpga_id: 2 });
  const [one, other] = [document.createElement('div'), document.createElement('div')];
  const ends = [one, other].map(el => countdown.render({ model, el }));
  expect(model.listeners('msg:custom').size).toBe(2);
  const [first, second] = model.sent.map(({ id }) => id);
  ends[0]();
  expect(model.sent[2]).toEqual({ relay: 'close', id: first });
  // The other one goes on.
  model.say({ relay: [{ is: 'closed', id: second, code: 1006, reason: '' }] });
  expect(part(other, '[role=status]').textContent).toBe('The lab does not answer. Trying again …');
  expect(part(one, '[role=status]').textContent).toBe('');
  ends[1]();
  expect(model.listeners('msg:custom').size).toBe(0);
});

test('a picker that goes away is told no more what the kernel picks', () => {
  const model = new FakeModel({ board: null, target: '' });
  const end = picker.render({ model, el: document.createElement('div') });
  expect(model.listeners('change:board').size).toBe(1);
  end();
  expect([model.listeners('change:board').size, model.listeners('msg:custom').size]).toEqual([0, 0]);
});
