import { FakeDoor } from '../../testing/door';
import { settled } from '../../testing/settled';
import { BenchView } from './view';

const CONTENT = { name: 'pwm', fpgaId: 3, leds: 2, buttons: 2, switches: 3, console: true };
const STATE = {
  lit: [0, 0.25],
  leds: 0,
  buttons: 0,
  switches: 0b101,
  powered: true,
  scale: 0.98,
  console: 0,
  console_text: ''
};

function open(door = new FakeDoor()): { door: FakeDoor; view: BenchView; say: (more?: object) => void } {
  const view = new BenchView(door, CONTENT);
  document.body.replaceChildren(view.node);
  door.live.accept();
  const say = (more: object = {}): void => {
    door.live.say(JSON.stringify({ ...STATE, ...more }));
  };
  say();
  return { door, view, say };
}

function named(view: BenchView, name: string): HTMLElement {
  return view.node.querySelector<HTMLElement>(`[aria-label="${name}"]`) as HTMLElement;
}

function status(view: BenchView): string {
  return view.node.querySelector('header')?.textContent ?? '';
}

test('LEDs say how bright they are, switches how they are set', () => {
  const { view, say } = open();
  expect(named(view, 'LED 0: off')).not.toBeNull();
  expect(named(view, 'LED 1: 25 %')).not.toBeNull();
  const on = [0, 1, 2].map(number => (named(view, `Switch ${number}`) as HTMLInputElement).checked);
  expect(on).toEqual([true, false, true]);
  expect(status(view)).toBe('pwmboard 3, held by youat 98 % of real time');
  say({ lit: [1, 0], scale: null });
  expect(named(view, 'LED 0: on')).not.toBeNull();
  expect(status(view)).toBe('pwmboard 3, held by you');
});

test('a button is down as long as the key is', () => {
  const { door, view } = open();
  const key = named(view, 'Button 1');
  key.dispatchEvent(new KeyboardEvent('keydown', { key: ' ' }));
  key.dispatchEvent(new KeyboardEvent('keydown', { key: ' ', repeat: true }));
  key.dispatchEvent(new KeyboardEvent('keyup', { key: ' ' }));
  key.dispatchEvent(new FocusEvent('blur'));
  expect(door.live.sent.map(text => JSON.parse(text as string) as unknown)).toEqual([
    { action: 'set', buttons: 2 },
    { action: 'set', buttons: 0 }
  ]);
});

test('a switch sets all switches', () => {
  const { door, view } = open();
  (named(view, 'Switch 1') as HTMLInputElement).click();
  expect(door.live.sent.map(text => JSON.parse(text as string) as unknown)).toEqual([
    { action: 'set', switches: 7 }
  ]);
});

test('the console says what came since, and sends lines', () => {
  const { door, view, say } = open();
  say({ console: 5, console_text: 'hello' });
  say({ console: 8, console_text: ' <b' });
  expect(named(view, 'What the design has sent').textContent).toBe('hello <b');
  const line = named(view, 'Send to the design') as HTMLInputElement;
  line.value = 'go';
  line.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
  expect(JSON.parse(door.live.sent[0] as string)).toEqual({ action: 'console', text: 'go\n' });
  expect(line.value).toBe('');
});

test('a board that is programmed again is watched again, and the console goes on where it was', async () => {
  jest.useFakeTimers();
  try {
    const session = { session_id: 'mine', owner: 'ann', design: 'other' };
    const { door, view, say } = open(new FakeDoor({ 'GET fpga/3/session': session }));
    say({ console: 5, console_text: 'hello' });
    door.live.end(1012, 'the board is being programmed; connect again');
    await settled();
    expect(status(view)).toBe('pwmboard 3: the board is being programmed; connect again Trying again …');
    jest.advanceTimersByTime(600);
    expect(door.sockets).toHaveLength(2);
    expect(door.live.query['console']).toBe(5);
    expect((named(view, 'Button 0') as HTMLButtonElement).disabled).toBe(true);
    door.live.accept();
    say();
    expect((named(view, 'Button 0') as HTMLButtonElement).disabled).toBe(false);
  } finally {
    jest.useRealTimers();
  }
});

test('what the lab refuses is said', () => {
  const { door, view } = open();
  door.live.say(JSON.stringify({ error: 'bench_rejected', message: 'buttons takes a whole number.' }));
  expect(status(view)).toContain('buttons takes a whole number.');
});

test('a design without pins says that there is nothing to see', () => {
  const none = { ...CONTENT, leds: 0, buttons: 0, switches: 0, console: false };
  const view = new BenchView(new FakeDoor(), none);
  expect(view.node.querySelector('p')?.textContent).toBe(
    'The design uses neither LEDs nor buttons, switches or the console of the bench.'
  );
});
