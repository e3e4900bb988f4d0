import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { CommandIDs } from '../commands/ids';
import { part } from '../testing/dom';
import { FakeDoor } from '../testing/door';
import { liveLab, trans } from '../testing/lab';
import { board, held } from '../testing/records';
import { settled } from '../testing/settled';
import { SessionItem } from './item';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

test('the time left is shown while one holds a board, to the second at last, and is said now and then', async () => {
  const door = new FakeDoor();
  door.boards = [board(0), held(3, 361)];
  const lab = await liveLab(door);
  const item = new SessionItem(lab, new CommandRegistry(), trans);
  const changes: boolean[] = [];
  item.activeChanged.connect(() => {
    changes.push(item.active);
  });
  const button = part(item.node, 'button');
  const said = part(item.node, '[role=status]');
  expect(item.active).toBe(true);
  expect(button.textContent).toBe('Board 3 · 6 min');
  expect(said.textContent).toBe('Board 3 is yours for 6 more minutes.');
  jest.advanceTimersByTime(62_000);
  expect(button.textContent).toBe('Board 3 · 4:59');
  expect(said.textContent).toBe('Board 3 is yours for 5 more minutes.');
  jest.advanceTimersByTime(100_000);
  expect(button.textContent).toBe('Board 3 · 3:19');
  expect(said.textContent).toBe('Board 3 is yours for 5 more minutes.');
  door.boards = [held(0, 30), held(3, 3600)];
  door.tell({ kind: 'session_renewed', fpga_id: 3, owner: 'ada' });
  door.tell({ kind: 'session_started', fpga_id: 0, owner: 'ada' });
  await settled();
  // The one that ends first.
  expect(button.textContent).toBe('Board 0 · 0:30 +1');
  door.boards = [board(0), board(3)];
  door.tell({ kind: 'board_state', fpga_id: 0 });
  door.tell({ kind: 'board_state', fpga_id: 3 });
  await settled();
  expect(item.active).toBe(false);
  expect(changes.at(-1)).toBe(false);
  expect(said.textContent).toBe('You hold no board any more.');
  item.dispose();
  lab.dispose();
});

test('a click opens what one may do, with the cursor on it, and Escape closes it', async () => {
  const door = new FakeDoor();
  door.boards = [held(3, 600)];
  const lab = await liveLab(door);
  const commands = new CommandRegistry();
  const done: unknown[] = [];
  for (const id of [CommandIDs.renew, CommandIDs.release]) {
    commands.addCommand(id, {
      execute: args => {
        done.push([id, args]);
      }
    });
  }
  const item = new SessionItem(lab, commands, trans);
  Widget.attach(item, document.body);
  part(item.node, 'button').click();
  const popup = part(document.body, '[role=dialog]');
  expect(part(popup, 'span').textContent).toBe('Board 3: 10 min left');
  expect(document.activeElement?.textContent).toBe('Renew');
  for (const button of popup.querySelectorAll('button')) {
    button.click();
  }
  await settled();
  expect(done).toEqual([
    [CommandIDs.renew, { fpga_id: 3 }],
    [CommandIDs.release, { fpga_id: 3 }]
  ]);
  popup.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  expect(document.querySelector('[role=dialog]')).toBeNull();
  expect(document.activeElement).toBe(part(item.node, 'button'));
  item.dispose();
  lab.dispose();
});
