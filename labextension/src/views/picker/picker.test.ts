import { Refusal } from '../../lab/door';
import { part, texts } from '../../testing/dom';
import { FakeDoor } from '../../testing/door';
import { board, held } from '../../testing/records';
import { BoardPicker } from './picker';

let door: FakeDoor;
let picks: (number | null)[];
let picker: BoardPicker;

/** Everything that is under way, timers included, has happened. */
async function settled(): Promise<void> {
  await jest.advanceTimersByTimeAsync(0);
  await jest.advanceTimersByTimeAsync(0);
}

async function shown(picked: number | null = null, target = ''): Promise<void> {
  picker = new BoardPicker(door, { picked, target, onPick: board => picks.push(board) });
  document.body.replaceChildren(picker.node);
  door.live.accept();
  await settled();
}

function key(name: string): void {
  part(picker.node, '[role=listbox]').dispatchEvent(new KeyboardEvent('keydown', { key: name, cancelable: true }));
}

function active(): string | null | undefined {
  const id = part(picker.node, '[role=listbox]').getAttribute('aria-activedescendant');
  return document.getElementById(id ?? '')?.getAttribute('aria-label');
}

function labels(): (string | null)[] {
  return [...picker.node.querySelectorAll('[role=option]')].map(option => option.getAttribute('aria-label'));
}

beforeEach(() => {
  jest.useFakeTimers();
  // jsdom lays nothing out.
  Element.prototype.scrollIntoView = () => undefined;
  door = new FakeDoor();
  picks = [];
  const others = held(2, 725);
  others.session = { ...others.session, session_id: null, owner: 'bob' } as typeof others.session;
  door.boards = [
    board(0, { tags: ['fast', 'lcd'] }),
    held(1, 3600),
    { ...others, owner: 'bob' },
    board(3, { state: 'error', health: 'unplugged', target: 'icebreaker' }),
    board(4, { state: 'building' }),
    board(5, { state: 'reserved' })
  ];
});

afterEach(() => {
  picker.dispose();
  jest.useRealTimers();
});

test('each board is told by its state, who holds it and for how long, its target and its tags', async () => {
  await shown();
  expect(labels()).toEqual([
    'Any board that is free',
    'Board 0, free, simulated, fast, lcd',
    'Board 1, yours, simulated',
    'Board 2, held by bob, 12 min left, simulated',
    'Board 3, unplugged, icebreaker',
    'Board 4, waits for a build, simulated',
    'Board 5, being reset, simulated'
  ]);
  expect(texts(picker.node, '[role=status]')).toEqual(['1 of 6 free']);
  const disabled = [...picker.node.querySelectorAll('[aria-disabled]')].map(option => option.id.split('-').at(-1));
  expect(disabled).toEqual(['2', '3', '4', '5']);
});

test('arrows, Home and End go along the list, and Enter and Space pick what can be used', async () => {
  await shown();
  expect(active()).toBe('Any board that is free');
  key('ArrowUp');
  expect(active()).toBe('Any board that is free');
  key('ArrowDown');
  key('ArrowDown');
  key('Enter');
  expect(active()).toBe('Board 1, yours, simulated');
  expect(picks).toEqual([1]);
  key('ArrowDown');
  key(' ');
  // Somebody else's.
  expect(picks).toEqual([1]);
  key('End');
  expect(active()).toBe('Board 5, being reset, simulated');
  key('Home');
  key(' ');
  expect(picks).toEqual([1, null]);
  const typed = new KeyboardEvent('keydown', { key: 'a', cancelable: true });
  part(picker.node, '[role=listbox]').dispatchEvent(typed);
  expect(typed.defaultPrevented).toBe(false);
});

test('a click picks, and the kernel may pick as well', async () => {
  await shown();
  part(picker.node, '[aria-label^="Board 0"] span').click();
  expect(picks).toEqual([0]);
  expect(part(picker.node, '[aria-selected=true]').getAttribute('aria-label')).toMatch('Board 0');
  picker.picked = 1;
  expect(part(picker.node, '[aria-selected=true]').getAttribute('aria-label')).toMatch('Board 1');
  expect(picks).toEqual([0]);
});

test('filters leave what is picked in sight', async () => {
  await shown(2, 'icebreaker');
  expect(labels()).toHaveLength(3);
  const targets = part(picker.node, 'select');
  expect([...targets.options].map(option => option.value)).toEqual(['', 'icebreaker', 'simulated']);
  targets.value = '';
  targets.dispatchEvent(new Event('change'));
  expect(labels()).toHaveLength(7);
  part(picker.node, 'input').click();
  expect(labels()).toEqual([
    'Any board that is free',
    'Board 0, free, simulated, fast, lcd',
    'Board 2, held by bob, 12 min left, simulated'
  ]);
});

test('an event about a board asks once more, a job’s does not', async () => {
  await shown();
  expect(door.asked).toEqual(['GET fpga']);
  door.tell({ kind: 'job_status', fpga_id: 0 });
  door.tell({ kind: 'watermark' });
  await settled();
  expect(door.asked).toEqual(['GET fpga']);
  door.boards[0] = board(0, { state: 'queued' });
  for (let burst = 0; burst < 50; burst += 1) {
    door.tell({ kind: 'board_state', fpga_id: 0 });
  }
  await settled();
  expect(door.asked.length).toBeLessThanOrEqual(3);
  expect(labels()[1]).toBe('Board 0, waits for a build, simulated');
});

test('one’s own boards are renewed and given back, and a refusal is told', async () => {
  await shown();
  expect(texts(picker.node, '.fpga-mine li span')).toEqual(['Board 1 is yours for 60 min.']);
  part(picker.node, '[aria-label="Renew board 1"]').click();
  await settled();
  expect(door.asked).toContain('POST fpga/1/session/renew');
  door.answers['POST fpga/1/session/release'] = () => {
    throw new Refusal('no_active_session', 'Board 1 has no session.', 404);
  };
  const release = part(picker.node, '[aria-label="Release board 1"]');
  release.focus();
  release.click();
  await settled();
  expect(texts(picker.node, '[role=status]')).toEqual(['Board 1 has no session.']);
  jest.setSystemTime(Date.now() + 3_570_000);
  await jest.advanceTimersByTimeAsync(1000);
  expect(texts(picker.node, '.fpga-mine li span')).toEqual(['Board 1 is yours for 29 s.']);
  // Asked anew, the row stays the same, and the focus on its button.
  door.tell({ kind: 'session_renewed', fpga_id: 1 });
  await settled();
  expect(document.activeElement).toBe(release);
  door.boards[1] = board(1);
  door.tell({ kind: 'session_ended', fpga_id: 1 });
  await settled();
  expect(part(picker.node, '.fpga-mine').hidden).toBe(true);
});

test('a lab that goes away is told, and asked anew when it is back', async () => {
  await shown();
  door.live.end(1006);
  expect(texts(picker.node, '[role=status]')).toEqual(['The lab does not answer. Trying again …']);
  await jest.advanceTimersByTimeAsync(500);
  expect(door.sockets).toHaveLength(2);
  door.live.accept();
  await settled();
  expect(texts(picker.node, '[role=status]')).toEqual(['1 of 6 free']);
  picker.dispose();
  expect(door.live.closed).toBe(true);
});
