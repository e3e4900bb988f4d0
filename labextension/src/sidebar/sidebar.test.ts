import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { CommandIDs } from '../commands/ids';
import type { Lab } from '../lab/model';
import { part, texts } from '../testing/dom';
import { FakeDoor } from '../testing/door';
import { liveLab } from '../testing/lab';
import { board, held, heldBy, job } from '../testing/records';
import { settled } from '../testing/settled';
import { FpgaPanel } from './panel';

let door: FakeDoor;
let lab: Lab;
let panel: FpgaPanel;
let done: string[];

async function show(): Promise<void> {
  lab = await liveLab(door);
  done = [];
  const commands = new CommandRegistry();
  for (const id of Object.values(CommandIDs)) {
    commands.addCommand(id, {
      execute: args => {
        done.push(`${id} ${JSON.stringify(args)}`);
      }
    });
  }
  panel = new FpgaPanel(lab, commands, nullTranslator);
  Widget.attach(panel, document.body);
}

beforeEach(() => {
  door = new FakeDoor();
});

afterEach(() => {
  panel.dispose();
  lab.dispose();
});

function rows(list: string): HTMLElement[] {
  return [...panel.node.querySelectorAll<HTMLElement>(`[aria-label="${list}"] [role=row]`)];
}

function key(name: string): void {
  document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }));
}

test('each board says in words how it is and whose', async () => {
  door.boards = [
    board(0),
    held(1, 60),
    board(2, { state: 'building', owner: 'grace' }),
    board(3, { state: 'error', health: 'quarantined', reason: 'It failed three resets.' }),
    board(4, { state: 'reserved' })
  ];
  await show();
  expect(rows('Boards').map(row => texts(row, '.jp-FpgaRows-title, .jp-FpgaRows-state, .jp-FpgaRows-more'))).toEqual([
    ['Board 0', 'free', 'simulated'],
    ['Board 1', 'in use', 'simulated · ada'],
    ['Board 2', 'building', 'simulated · grace'],
    ['Board 3', 'out of order', 'simulated'],
    ['Board 4', 'resetting', 'simulated']
  ]);
  expect(part(rows('Boards')[3], '.jp-FpgaRows-more').title).toBe('It failed three resets.');
  expect(part(panel.node, '.jp-FpgaPanel-status').textContent).toBe('1 of 5 boards free');
});

test('one row is in the Tab order; arrows go on, and into the buttons; Enter and Delete act', async () => {
  door.boards = [board(0), held(1, 60)];
  await show();
  const [first, second] = rows('Boards');
  expect([first.tabIndex, second.tabIndex]).toEqual([0, -1]);
  panel.focusBoards();
  expect(document.activeElement).toBe(first);
  key('ArrowUp');
  expect(document.activeElement).toBe(first);
  key('ArrowDown');
  expect(document.activeElement).toBe(second);
  expect([first.tabIndex, second.tabIndex]).toEqual([-1, 0]);
  key('Enter');
  key('Delete');
  key('ArrowRight');
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Use board 1 in the notebook');
  key('ArrowRight');
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Renew the session on board 1');
  (document.activeElement as HTMLElement).click();
  key('ArrowLeft');
  key('ArrowLeft');
  expect(document.activeElement).toBe(second);
  key('Home');
  expect(document.activeElement).toBe(first);
  // It isn't one's own.
  key('Delete');
  key('End');
  expect(document.activeElement).toBe(second);
  await settled();
  expect(done).toEqual([
    'jupyter-fpga:pick-board {"fpga_id":1}',
    'jupyter-fpga:release-board {"fpga_id":1}',
    'jupyter-fpga:renew-session {"fpga_id":1}'
  ]);
});

test('operators take back what others hold; nobody else is offered to', async () => {
  const offered = (): (string | null)[] =>
    rows('Boards').map(row => row.querySelector('button[title^="Take back"]')?.getAttribute('aria-label') ?? null);
  door.boards = [board(0), held(1, 60), heldBy('grace', 2)];
  await show();
  expect(offered()).toEqual([null, null, null]);
  // The lab is called again, and its operator has got to be one meanwhile.
  jest.useFakeTimers();
  door.live.end(1006);
  jest.advanceTimersByTime(500);
  jest.useRealTimers();
  door.answers['GET me'] = { name: 'ada', roles: ['student', 'operator'] };
  door.live.accept();
  await settled();
  expect(offered()).toEqual([null, null, 'Take back board 2 from grace …']);
  const button = part(rows('Boards')[2], 'button');
  expect(button.textContent).toBe('Take back');
  button.click();
  await settled();
  expect(done).toEqual(['jupyter-fpga:take-board-back {"fpga_id":2}']);
});

test('a board that changes keeps its row and the focus; others are left alone', async () => {
  door.boards = [board(0), board(1), board(2)];
  await show();
  const before = rows('Boards');
  before[1].focus();
  const untouched = before[0].firstElementChild;
  door.boards[1] = board(1, { state: 'building' });
  door.tell({ kind: 'board_state', fpga_id: 1 });
  await settled();
  expect(rows('Boards')).toEqual(before);
  expect(document.activeElement).toBe(before[1]);
  expect(part(before[1], '.jp-FpgaRows-state').textContent).toBe('building');
  expect(before[0].firstElementChild).toBe(untouched);
  // When the row with the focus goes, its neighbour has it.
  door.boards.splice(1, 1);
  door.tell({ kind: 'board_retired', fpga_id: 1 });
  await settled();
  expect(document.activeElement).toBe(before[2]);
});

test('boards are filtered by target, holder, tag, number, and whether they are free', async () => {
  door.boards = [board(0), held(1, 60), board(12, { target: 'ulx3s', tags: ['camera'] })];
  await show();
  const filter = part(panel.node, 'input');
  const shown = (text: string): (string | undefined)[] => {
    filter.value = text;
    filter.dispatchEvent(new Event('input'));
    return rows('Boards').map(row => row.dataset.fpgaId);
  };
  expect(shown('SIMUL')).toEqual(['0', '1']);
  expect(shown('ada')).toEqual(['1']);
  expect(shown('camera')).toEqual(['12']);
  expect(shown('1')).toEqual(['1']);
  expect(shown('nothing')).toEqual([]);
  expect(shown('')).toEqual(['0', '1', '12']);
  const free = part(panel.node, '.jp-FpgaSection-filters label').querySelector('input');
  if (free) {
    free.checked = true;
    free.dispatchEvent(new Event('input'));
  }
  expect(rows('Boards').map(row => row.dataset.fpgaId)).toEqual(['0', '12']);
});

test("one's sessions count down, and are renewed and released", async () => {
  jest.useFakeTimers();
  door.boards = [held(1, 300)];
  await show();
  const [row] = rows('My sessions');
  expect(part(row, '.jp-FpgaRows-more').textContent).toBe('5 min left');
  jest.advanceTimersByTime(5000);
  expect(part(row, '.jp-FpgaRows-more').textContent).toBe('4:55 left');
  for (const button of row.querySelectorAll('button')) {
    button.click();
  }
  await settled();
  expect(done).toEqual(['jupyter-fpga:renew-session {"fpga_id":1}', 'jupyter-fpga:release-board {"fpga_id":1}']);
  door.boards = [board(1)];
  door.tell({ kind: 'session_ended', fpga_id: 1, owner: 'ada', reason: 'released' });
  await settled();
  expect(rows('My sessions')).toEqual([]);
  expect(panel.node.textContent).toContain('You hold no board. A %%fpga cell gets you one.');
  jest.useRealTimers();
});

test('jobs tell stage, place and time, and why they failed', async () => {
  door.jobs = [
    job('a', 1, { status: 'failed', type: 'build', error: { code: 'design_error', reason: 'line 3: no `x`.' } }),
    job('b', 2, { status: 'running', stage: 'building', build_stage: 'synthesize' }),
    job('c', 3, { position: 2, eta_seconds: 40, fpga_id: 5 }),
    job('d', 4, { type: 'reset', fpga_id: 5, status: 'complete' })
  ];
  await show();
  expect(rows('My jobs').map(row => texts(row, '.jp-FpgaRows-title, .jp-FpgaRows-more'))).toEqual([
    ['Reset of board 5', 'done'],
    ['Build for board 5', 'waiting, place 2, about 40 s'],
    ['Build for any board', 'running: synthesize'],
    ['Build', 'failed: line 3: no `x`.']
  ]);
  rows('My jobs')[1].focus();
  key('Delete');
  key('Enter');
  rows('My jobs')[3].focus();
  // It is over.
  key('Delete');
  await settled();
  expect(done).toEqual(['jupyter-fpga:cancel-job {"job_id":"c"}', 'jupyter-fpga:show-log {"job_id":"c"}']);
});

test('a lab that is away is said to be away, until it is back', async () => {
  await show();
  door.live.end(1006);
  expect(part(panel.node, '.jp-FpgaPanel-status').textContent).toBe('The lab does not answer. Trying again …');
  expect(panel.node.dataset.connection).toBe('lost');
});
