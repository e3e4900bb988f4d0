import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { CommandIDs } from '../commands/ids';
import { addOperatorCommands } from '../commands/operators';
import type { Lab } from '../lab/model';
import { part, texts } from '../testing/dom';
import { FakeDoor } from '../testing/door';
import { liveLab, trans } from '../testing/lab';
import { board, held, heldBy } from '../testing/records';
import { settled } from '../testing/settled';
import { ActionHistory, lanesOf, type IAction } from './history';
import { Dashboard } from './panel';
import { resultsOf } from './records';

const METRICS = `# HELP jupyter_fpga_results_total Results by where they came from
jupyter_fpga_results_total{source="run"} 5.0
jupyter_fpga_results_total{source="shared"} 1.0
jupyter_fpga_results_total{source="cache"} 14.0
jupyter_fpga_runs 2.0
`;

let door: FakeDoor;
let lab: Lab;

async function* text(all: string): AsyncGenerator<string> {
  yield await Promise.resolve(all);
}

beforeEach(async () => {
  jest.useFakeTimers();
  door = new FakeDoor();
  door.boards = [board(0), held(1, 60), board(2, { state: 'error', reason: 'It does not answer.' })];
  door.texts['metrics'] = text(METRICS);
  Object.assign(door.answers, {
    'GET compute/queues': [
      { queue_id: 7, owner: 'ada', state: 'active', active: 3, completed: 4, failed: 0, cancelled: 1 }
    ],
    'GET compute/workers': [{ worker: 'f'.repeat(64), name: 'lab', functions: [{ name: 'elaborate', version: 'x' }] }],
    'GET compute/sysinfo': { cores: 2, runner: { kind: 'local', capacity: 2 }, sandbox: { tier: 'full', reason: '' } },
    'GET compute/jobs?state=unfinished&limit=1000': []
  });
  lab = await liveLab(door);
});

afterEach(() => {
  lab.dispose();
  jest.useRealTimers();
});

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function action(began: number, ended: number | null): IAction {
  return { lsn: began, function: 'f', worker: 'w', owner: 'o', state: 'completed', began, ended };
}

test('actions that overlap are in lanes of their own, and others share one', () => {
  const [a, b, c, d] = [action(0, 10), action(5, 8), action(8, 12), action(20, null)];
  expect(lanesOf([c, a, d, b])).toEqual([
    [a, d],
    [b, c]
  ]);
});

test('where results came from is read from the metrics', () => {
  expect(resultsOf(METRICS)).toEqual({ run: 5, shared: 1, cache: 14 });
});

test('events alone tell what runs, what ran, and what waits', () => {
  const history = new ActionHistory(lab);
  const now = Date.now();
  const accept = (lsn: number): void => {
    door.tell({
      lsn,
      prev: 0,
      kind: 'action_accepted',
      function: 'compile',
      worker: 'w',
      owner: 'ada',
      time: time(now)
    });
  };
  accept(100);
  accept(101);
  expect(history.waiting).toBe(2);
  door.tell({ kind: 'action_submitted', action_lsn: 100, time: time(now) });
  door.tell({ kind: 'action_started', action_lsn: 100, time: time(now + 10) });
  expect(history.running.map(each => [each.function, each.owner])).toEqual([['compile', 'ada']]);
  door.tell({ kind: 'action_completed', action_lsn: 100, time: time(now + 500) });
  expect(history.running).toEqual([]);
  expect(history.since(now).map(each => [each.began, each.ended])).toEqual([[now + 10, now + 500]]);
  // What began before anybody listened is known by what the lab says; what is no longer there has ended.
  history.take([
    { lsn: 50, function: 'place', worker: 'w', owner: 'grace', state: 'running', started_at: time(now - 1000) }
  ]);
  expect(history.waiting).toBe(0);
  expect(history.running.map(each => each.function)).toEqual(['place']);
  history.dispose();
});

test('the dashboard shows the lab, and asks for counts once a second at most', async () => {
  const history = new ActionHistory(lab);
  const dashboard = new Dashboard(lab, history, trans, new CommandRegistry());
  Widget.attach(dashboard, document.body);
  await settled();
  const { node } = dashboard;
  expect(part(node, '[role=status]').textContent).toBe('1 of 3 boards free');
  expect(texts(node, 'li')).toEqual(['0free', '1ada', '2failed']);
  expect(texts(node, 'td')).toEqual(['7', 'ada', 'active', '3', '4', '0', '1', 'lab', 'ffffffffffff', 'elaborate']);
  expect(part(node, 'meter').value).toBe(15);
  expect(node.textContent).toContain(
    '75 % of 20 results were there already. From the cache: 14, shared with an equal action: 1, computed: 5'
  );
  expect(part(node, '[role=img]').getAttribute('aria-label')).toBe(
    'In the last minute 0 actions; running: 0, waiting: 0'
  );
  door.asked.length = 0;
  for (let lsn = 200; lsn < 300; lsn += 1) {
    door.tell({
      lsn,
      prev: lsn - 1,
      kind: 'action_accepted',
      function: 'noop',
      queue_id: 7,
      owner: 'ada',
      time: time(Date.now())
    });
    door.tell({ kind: 'action_completed', action_lsn: lsn, queue_id: 7, time: time(Date.now()) });
  }
  await settled();
  expect(door.asked.filter(asked => asked.startsWith('GET compute'))).toEqual([]);
  jest.advanceTimersByTime(1000);
  await settled();
  expect(door.asked.filter(asked => asked.startsWith('GET compute'))).toEqual(['GET compute/queues']);
  door.live.end(1006);
  expect(part(node, '[role=status]').textContent).toBe('The lab does not answer. Trying again …');
  dashboard.dispose();
  history.dispose();
});

test('operators have a menu at each board to which something may be done', async () => {
  lab.dispose();
  door.answers['GET me'] = { name: 'ada', roles: ['student', 'operator'] };
  door.boards = [board(0), held(1, 60), heldBy('grace', 2), board(3, { state: 'error', health: 'quarantined' })];
  lab = await liveLab(door);
  const commands = new CommandRegistry();
  addOperatorCommands({ commands, contextMenuHitTest: () => undefined }, lab, trans);
  const history = new ActionHistory(lab);
  const dashboard = new Dashboard(lab, history, trans, commands);
  Widget.attach(dashboard, document.body);
  const buttons = [...dashboard.node.querySelectorAll<HTMLElement>('li button')];
  expect(buttons.map(button => button.getAttribute('aria-label'))).toEqual([
    'What to do with board 0',
    'What to do with board 2',
    'What to do with board 3'
  ]);
  const offered = buttons.map(button => {
    button.click();
    return texts(document, '.lm-Menu-itemLabel');
  });
  expect(offered).toEqual([['Take Out of Service …'], ['Take Back …'], ['Return to Service']]);
  door.boards[3] = board(3);
  door.answers['POST fpga/3/clear'] = { job_id: 'a' };
  await commands.execute(CommandIDs.clear, { fpga_id: 3 });
  door.tell({ kind: 'board_cleared', fpga_id: 3 });
  await settled();
  part(dashboard.node, 'li:last-child button').click();
  expect(texts(document, '.lm-Menu-itemLabel')).toEqual(['Take Out of Service …']);
  dashboard.dispose();
  history.dispose();
});
