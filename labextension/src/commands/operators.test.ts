import { Dialog, Notification } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';

import { Refusal } from '../lab/door';
import type { Lab } from '../lab/model';
import { part } from '../testing/dom';
import { FakeDoor } from '../testing/door';
import { liveLab, trans } from '../testing/lab';
import { board, heldBy } from '../testing/records';
import { settled } from '../testing/settled';
import { CommandIDs } from './ids';
import { addOperatorCommands } from './operators';

const OPERATOR = { name: 'ada', roles: ['student', 'operator'] };
const { takeBack, quarantine, clear } = CommandIDs;

let door: FakeDoor;
let lab: Lab;
let commands: CommandRegistry;

beforeEach(() => {
  door = new FakeDoor();
  door.answers['GET me'] = OPERATOR;
  door.boards = [board(0), heldBy('grace', 1), board(2, { state: 'error', health: 'quarantined' })];
});

afterEach(() => {
  lab.dispose();
  Dialog.flush();
  for (const { id } of Notification.manager.notifications) {
    Notification.dismiss(id);
  }
});

async function begin(): Promise<void> {
  lab = await liveLab(door);
  commands = new CommandRegistry();
  addOperatorCommands({ commands, contextMenuHitTest: () => undefined }, lab, trans);
}

function visible(command: string): number[] {
  return lab.boards.map(each => each.fpga_id).filter(fpga_id => commands.isVisible(command, { fpga_id }));
}

/** The dialog, once its question is drawn, for which it takes its own time. */
async function opened(): Promise<HTMLElement> {
  return new Promise(resolve => {
    const look = (): void => {
      if (document.querySelector('.jp-Dialog-header')?.textContent) {
        observer.disconnect();
        resolve(part(document, '.jp-Dialog'));
      }
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    look();
  });
}

/** Execute, and answer the dialog. */
async function answer(command: string, fpgaId: number, meanwhile: (dialog: HTMLElement) => void): Promise<void> {
  const doing = commands.execute(command, { fpga_id: fpgaId });
  meanwhile(await opened());
  await doing;
}

function press(dialog: HTMLElement, button: 'accept' | 'reject'): void {
  part(dialog, `button.jp-mod-${button}`).click();
}

test('operators see what the lab would do; nobody else sees any of it', async () => {
  await begin();
  expect([takeBack, quarantine, clear].map(visible)).toEqual([[1], [0], [2]]);
  lab.dispose();
  door.answers['GET me'] = { name: 'ada', roles: ['student', 'teacher'] };
  await begin();
  expect([takeBack, quarantine, clear].map(visible)).toEqual([[], [], []]);
});

test('a board is taken back after a question that says whose work ends', async () => {
  await begin();
  await answer(takeBack, 1, dialog => {
    expect(part(dialog, '.jp-Dialog-header').textContent).toBe('Take board 1 back from grace?');
    expect(part(dialog, '.jp-Dialog-body').textContent).toBe(
      'grace works with it now. Their session ends at once: what is in the board’s registers is lost, ' +
        'and what they have waiting for it is cancelled. They are told.'
    );
    expect(document.activeElement?.textContent).toBe('Cancel');
    press(dialog, 'accept');
  });
  expect(door.asked).toEqual(['POST fpga/1/session/kick']);
});

test('a board is left to its holder when one thinks again', async () => {
  await begin();
  await answer(takeBack, 1, dialog => {
    press(dialog, 'reject');
  });
  expect(door.asked).toEqual([]);
});

test('a board that is somebody else’s by the time of the answer is left alone', async () => {
  await begin();
  const doing = commands.execute(takeBack, { fpga_id: 1 });
  const dialog = await opened();
  door.boards[1] = heldBy('lin', 1);
  door.tell({ kind: 'session_started', fpga_id: 1, owner: 'lin' });
  await settled();
  door.asked.length = 0;
  press(dialog, 'accept');
  await doing;
  expect(door.asked).toEqual([]);
  expect(Notification.manager.notifications.map(each => each.message)).toEqual([
    'grace does not hold board 1 any more, so nothing was done.'
  ]);
});

test('a board goes out of service with a reason, and comes back', async () => {
  await begin();
  await answer(quarantine, 0, dialog => {
    part(dialog, 'input').value = ' Its LED is loose. ';
    press(dialog, 'accept');
  });
  await commands.execute(clear, { fpga_id: 2 });
  expect(door.asked).toEqual(['POST fpga/0/quarantine {"reason":"Its LED is loose."}', 'POST fpga/2/clear']);
});

test('what the lab says against it is told', async () => {
  await begin();
  door.answers['POST fpga/2/clear'] = () => {
    throw new Refusal('not_quarantined', 'Board 2 is not quarantined, so there is nothing to clear.', 409);
  };
  await commands.execute(clear, { fpga_id: 2 });
  expect(Notification.manager.notifications.map(each => each.message)).toEqual([
    'Board 2 is not quarantined, so there is nothing to clear.'
  ]);
});
