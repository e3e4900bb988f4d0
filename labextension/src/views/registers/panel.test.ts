import { FakeDoor } from '../../testing/door';
import { FakeBoard } from '../../testing/fakeBoard';
import { settled } from '../../testing/settled';
import type { FakeSocket } from '../../testing/socket';
import type { IField, IRegister } from './layout';
import { RegisterPanel } from './panel';

const register = (name: string, offset: number, more: Partial<IRegister> = {}): IRegister => ({
  name,
  offset,
  width: 8,
  words: 1,
  access: 'rw',
  reset: '0',
  doc: `what ${name} does`,
  signed: false,
  side_effects: false,
  fields: [],
  enum: null,
  ...more
});

const field = (name: string, lsb: number, width: number, more: Partial<IField> = {}): IField => ({
  name,
  lsb,
  width,
  doc: '',
  signed: false,
  enum: null,
  access: 'rw',
  ...more
});

const REGISTERS = [
  register('duty', 0),
  register('control', 4, { fields: [field('enable', 0, 1), field('mode', 1, 2, { enum: { SLOW: 0, FAST: 2 } })] }),
  register('count', 8, { access: 'ro', width: 64, words: 2 }),
  register('fifo', 16, { access: 'ro', side_effects: true }),
  register('command', 20, { access: 'wo' })
];

const MINE = { session_id: 'mine', owner: 'ann', registers_lost_at: null };

class Lab {
  readonly board = new FakeBoard(new Map([[0, 40], [4, 0b101], [12, 9]]));
  readonly door: FakeDoor;
  readonly panel: RegisterPanel;

  constructor(registers = REGISTERS, door = new FakeDoor({ 'GET fpga/3/session': MINE })) {
    this.door = door;
    this.panel = new RegisterPanel(door, { name: 'pwm', fpgaId: 3, design: 'abc', registers });
    document.body.replaceChildren(this.panel.node);
  }

  get socket(): FakeSocket {
    return this.door.live;
  }

  /** Time passes, and the board answers what is asked meanwhile. */
  async pass(time: number): Promise<void> {
    for (let left = time; left >= 0; left -= 10) {
      await settled();
      while (this.board.answer(this.socket) > 0) {
        await settled();
      }
      jest.advanceTimersByTime(10);
    }
    await settled();
  }

  async opened(): Promise<this> {
    this.socket.accept();
    await this.pass(0);
    return this;
  }

  row(name: string): HTMLElement {
    const rows = [...this.panel.node.querySelectorAll('tr')];
    const found = rows.find(row => row.querySelector('th')?.textContent === name);
    if (!found) {
      throw new Error(`no row ${name}`);
    }
    return found;
  }

  value(name: string): string {
    return this.row(name).querySelector('.fpga-value')?.textContent ?? '';
  }

  input(name: string, type = 'input'): HTMLInputElement {
    return this.row(name).querySelector<HTMLInputElement>(type) as HTMLInputElement;
  }

  get status(): string {
    return this.panel.node.querySelector('[role=status]')?.textContent ?? '';
  }
}

function change(input: HTMLInputElement | HTMLSelectElement, value: string, event = 'change'): void {
  input.value = value;
  input.dispatchEvent(new Event(event));
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

test('registers are read in one message, those with side effects never', async () => {
  const lab = await new Lab().opened();
  expect(lab.socket.path).toBe('fpga/3/stream');
  expect(lab.socket.query).toEqual({ design: 'abc' });
  expect(lab.board.log).toEqual(['read 0', 'read 4', 'read 8']);
  expect(['duty', 'control', '.enable', '.mode', 'count'].map(name => lab.value(name))).toEqual([
    '40 (0x28)',
    '5 (0x05)',
    '1',
    'FAST (0x2)',
    '0x0000000000000009'
  ]);
  expect([lab.value('fifo'), lab.value('command')]).toEqual(['Read', 'write only']);
  expect(lab.status).toBe('board 3, held by you');
});

test('they are read again ten times a second, and not while nobody looks', async () => {
  const lab = await new Lab().opened();
  lab.board.words.set(0, 41);
  await lab.pass(1000);
  expect(lab.value('duty')).toBe('41 (0x29)');
  const looks = lab.board.log.filter(done => done === 'read 0').length;
  expect(looks).toBeGreaterThanOrEqual(9);
  expect(looks).toBeLessThanOrEqual(11);
  Object.defineProperty(document, 'hidden', { value: true, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
  await lab.pass(200);
  lab.board.log.length = 0;
  await lab.pass(1000);
  expect(lab.board.log).toEqual([]);
  Object.defineProperty(document, 'hidden', { value: false, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
  await lab.pass(50);
  expect(lab.board.log).toContain('read 0');
});

test('a slider writes at once; of what it passes while the board is busy, the last counts', async () => {
  const lab = await new Lab().opened();
  lab.board.log.length = 0;
  const slider = lab.input('duty', 'input[type=range]');
  change(slider, '50', 'input');
  await settled();
  // The first is under way, and two more come meanwhile.
  change(slider, '51', 'input');
  change(slider, '52', 'input');
  await lab.pass(0);
  expect(lab.board.log.filter(done => done.startsWith('write'))).toEqual(['write 0 = 50', 'write 0 = 52']);
  await lab.pass(200);
  expect(lab.value('duty')).toBe('52 (0x34)');
  expect(lab.input('duty', 'input[type=text]').value).toBe('52');
});

test('a field is written without its neighbours, from what the register has then', async () => {
  const lab = await new Lab().opened();
  lab.board.words.set(4, 0b1000_0101);
  lab.board.log.length = 0;
  const box = lab.input('.enable');
  box.checked = false;
  box.dispatchEvent(new Event('change'));
  change(lab.row('.mode').querySelector('select') as HTMLSelectElement, 'SLOW');
  await lab.pass(0);
  expect(lab.board.log.slice(0, 2)).toEqual(['read 4', 'write 4 = 128']);
});

test('a register with side effects is read once, when a person asks', async () => {
  const lab = await new Lab().opened();
  lab.board.words.set(16, 7);
  lab.board.log.length = 0;
  lab.row('fifo').querySelector('button')?.click();
  await lab.pass(0);
  expect(lab.board.log).toEqual(['read 16']);
  expect(lab.value('fifo')).toBe('7 (0x07) Read');
});

test('what does not fit is said, and nothing is written', async () => {
  const lab = await new Lab().opened();
  lab.board.log.length = 0;
  change(lab.input('duty', 'input[type=text]'), '300');
  await lab.pass(0);
  expect(lab.row('duty').querySelector('.fpga-trouble')?.textContent).toBe('duty takes 0 to 255.');
  expect(lab.board.log).toEqual([]);
});

test('what a person is writing is not overwritten, and Escape takes it back', async () => {
  const lab = await new Lab().opened();
  const text = lab.input('duty', 'input[type=text]');
  text.focus();
  text.value = '12';
  lab.board.words.set(0, 41);
  await lab.pass(200);
  expect(text.value).toBe('12');
  text.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
  expect(text.value).toBe('41');
});

test('why a register is not read stands in its row, and the others go on', async () => {
  const lab = new Lab();
  lab.board.broken.push(4);
  await lab.opened();
  await lab.pass(200);
  expect(lab.row('control').querySelector('.fpga-trouble')?.textContent).toBe('oof');
  expect(lab.value('duty')).toBe('40 (0x28)');
});

test.each([
  [4410, 'The board session has ended: run the cell again to get a board.'],
  [4411, 'The board runs another design by now: run the cell again.']
])('the end with code %i is for good', async (code, words) => {
  const lab = await new Lab().opened();
  lab.socket.end(code);
  await lab.pass(20_000);
  expect(lab.status).toBe(words);
  expect(lab.door.sockets).toHaveLength(1);
  expect(lab.input('duty').disabled).toBe(true);
});

test('a lab that is gone is called again, and the panel goes on', async () => {
  const lab = await new Lab().opened();
  lab.door.away = true;
  lab.socket.end(1006);
  await lab.pass(100);
  expect(lab.status).toBe('board 3: The Jupyter server does not answer. Trying again …');
  expect(lab.input('duty').disabled).toBe(true);
  await lab.pass(500);
  expect(lab.door.sockets).toHaveLength(2);
  lab.socket.accept();
  await lab.pass(0);
  expect(lab.status).toBe('board 3, held by you');
  expect(lab.input('duty').disabled).toBe(false);
});

test('somebody else holds the board: the handshake is refused, and the session says why', async () => {
  const door = new FakeDoor({ 'GET fpga/3/session': { session_id: null, owner: 'bob' } });
  const lab = new Lab(REGISTERS, door);
  lab.socket.end(1006);
  await lab.pass(10_000);
  expect(lab.status).toBe("bob holds board 3: run the design's cell again.");
  expect(door.sockets).toHaveLength(1);
});

test('another design is on the board since: no register is read by the wrong layout', async () => {
  const session = { session_id: 'mine', owner: 'ann', design: 'other' };
  const lab = new Lab(REGISTERS, new FakeDoor({ 'GET fpga/3/session': session }));
  lab.socket.end(1006);
  await lab.pass(10_000);
  expect(lab.status).toBe('The board runs another design by now: run the cell again.');
});

/** The lab goes away and comes back, and says of one's session when the board's registers were lost. */
async function interrupted(lab: Lab, lost: string | null): Promise<void> {
  lab.socket.end(1006);
  await lab.pass(600);
  lab.door.answers['GET fpga/3/session'] = { ...MINE, registers_lost_at: lost };
  lab.socket.accept();
  await lab.pass(200);
}

const AGAIN =
  'board 3, held by you. The lab was restarted and had to program it again: what was in its registers is lost.';

test('a lab that comes back without what was in the registers is told of, until something is set again', async () => {
  const session = { ...MINE, registers_lost_at: '2026-01-01T10:00:00Z' };
  const lab = await new Lab(REGISTERS, new FakeDoor({ 'GET fpga/3/session': session })).opened();
  // What was lost before anybody looked is no news here.
  expect(lab.status).toBe('board 3, held by you');
  change(lab.input('command', 'input[type=text]'), '7');
  lab.row('fifo').querySelector('button')?.click();
  await lab.pass(100);
  expect([lab.input('command', 'input[type=text]').value, lab.value('fifo')]).toEqual(['7', '0 (0x00) Read']);
  lab.board.words.clear();
  await interrupted(lab, '2026-01-01T10:30:00Z');
  expect(lab.status).toBe(AGAIN);
  expect([lab.value('duty'), lab.value('fifo')]).toEqual(['0 (0x00)', 'Read']);
  expect(lab.input('command', 'input[type=text]').value).toBe('0');
  change(lab.input('duty', 'input[type=range]'), '5', 'input');
  expect(lab.status).toBe('board 3, held by you');
  await lab.pass(100);
  // The next time it is the same loss, of which was told.
  await interrupted(lab, '2026-01-01T10:30:00Z');
  expect(lab.status).toBe('board 3, held by you');
  expect(lab.value('duty')).toBe('5 (0x05)');
});

test('a lab that comes back with the board as it was says nothing', async () => {
  const session = { session_id: 'mine', owner: 'ann', registers_lost_at: null };
  const lab = await new Lab(REGISTERS, new FakeDoor({ 'GET fpga/3/session': session })).opened();
  await interrupted(lab, null);
  expect(lab.status).toBe('board 3, held by you');
  expect(lab.value('duty')).toBe('40 (0x28)');
});

test('over a slow way at most five messages a second are sent', async () => {
  const lab = await new Lab(REGISTERS, new FakeDoor({ 'GET fpga/3/session': MINE }, 200)).opened();
  lab.board.log.length = 0;
  let messages = 0;
  const slider = lab.input('duty', 'input[type=range]');
  for (let step = 0; step < 100; step += 1) {
    change(slider, String(step), 'input');
    jest.advanceTimersByTime(10);
    await settled();
    messages += lab.board.answer(lab.socket);
    await settled();
  }
  expect(messages).toBeGreaterThan(3);
  expect(messages).toBeLessThanOrEqual(6);
});

test('a panel that goes away closes what it had open', async () => {
  const lab = await new Lab().opened();
  lab.panel.dispose();
  expect(lab.socket.closed).toBe(true);
  await lab.pass(500);
  expect(lab.door.sockets).toHaveLength(1);
});
