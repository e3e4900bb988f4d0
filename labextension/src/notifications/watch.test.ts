import type { Lab } from '../lab/model';
import { FakeDoor } from '../testing/door';
import { liveLab, trans } from '../testing/lab';
import { board, held, job } from '../testing/records';
import { settled } from '../testing/settled';
import { Said } from './said';
import { Watch, type INotice } from './watch';

let door: FakeDoor;
let lab: Lab;
let watch: Watch;
let told: INotice[];
let takenBack: string[];
let done: string[];
let looking: string | null;

beforeEach(() => {
  jest.useFakeTimers();
  sessionStorage.clear();
  door = new FakeDoor();
  told = [];
  takenBack = [];
  done = [];
  looking = 'notebook';
});

afterEach(() => {
  watch.dispose();
  lab.dispose();
  jest.useRealTimers();
});

async function begin(): Promise<void> {
  lab = await liveLab(door);
  watch = new Watch(lab, trans, {
    tell: notice => {
      told.push(notice);
      return () => {
        takenBack.push(notice.message);
      };
    },
    renew: id => done.push(`renew ${id}`),
    release: id => done.push(`release ${id}`),
    showLog: id => done.push(`log ${id}`),
    lookedAt: () => looking,
    said: new Said()
  });
}

function messages(): string[] {
  return told.map(notice => notice.message);
}

test('the end of a session is said five minutes before, one minute before, and not twice', async () => {
  door.boards = [held(3, 302)];
  await begin();
  expect(messages()).toEqual([]);
  jest.advanceTimersByTime(2000);
  expect(messages()).toEqual(['Your session on board 3 ends in 5 min.']);
  jest.advanceTimersByTime(60_000);
  expect(told.length).toBe(1);
  for (const action of told[0].actions) {
    action.act();
  }
  expect(told[0].actions.map(action => action.label)).toEqual(['Renew', 'Release']);
  expect(done).toEqual(['renew 3', 'release 3']);
  // The page is loaded again.
  watch.dispose();
  lab.dispose();
  if (door.boards[0].session) {
    door.boards[0].session.remaining_seconds = 240;
  }
  await begin();
  expect(told.length).toBe(1);
  jest.advanceTimersByTime(180_000);
  expect(messages()[1]).toBe('Your session on board 3 ends in 1:00.');
  // Renewed: what was said is no longer true, and is said again when it is.
  door.boards = [held(3, 400)];
  door.tell({ kind: 'session_renewed', fpga_id: 3, owner: 'ada' });
  await settled();
  expect(takenBack.at(-1)).toBe('Your session on board 3 ends in 1:00.');
  jest.advanceTimersByTime(101_000);
  expect(messages()[2]).toBe('Your session on board 3 ends in 5 min.');
});

test('the minutes are a setting', async () => {
  door.boards = [held(3, 1000)];
  await begin();
  watch.settings = { ...watch.settings, expiryMinutes: [] };
  jest.advanceTimersByTime(990_000);
  expect(messages()).toEqual([]);
});

test('a build that ends is told of when one looks elsewhere, and only then', async () => {
  await begin();
  const build = async (id: string, status: string, more: object = {}): Promise<void> => {
    door.jobs = [job(id, 1, { status, ...more })];
    door.tell({ kind: 'job_status', job_id: id, type: 'build_and_program', owner: 'ada' });
    await settled();
  };
  await build('a', 'running');
  await build('a', 'complete', { fpga_id: 3 });
  expect(messages()).toEqual([]);
  await build('b', 'queued');
  looking = 'another notebook';
  await build('b', 'complete', { fpga_id: 3 });
  await build('c', 'running');
  looking = null;
  await build('c', 'failed', { error: { code: 'design_error', reason: 'line 3: no `x`.' } });
  expect(messages()).toEqual(['Board 3 runs your design.', 'Build for any board has failed: line 3: no `x`.']);
  expect(told.map(notice => notice.kind)).toEqual(['success', 'error']);
  told[1].actions[0].act();
  expect(done).toEqual(['log c']);
  await build('d', 'running');
  await build('d', 'cancelled');
  watch.settings = { ...watch.settings, buildEnds: false };
  await build('e', 'running');
  await build('e', 'failed');
  expect(told.length).toBe(2);
});

test.each([
  ['kicked', 'An operator has taken board 3 from you.'],
  ['expired', 'Your session on board 3 has ended: its time was over.'],
  ['reset', 'An operator has reset board 3, and your session on it has ended.'],
  ['board_failed', 'Board 3 has failed, and your session on it has ended.'],
  ['board_removed', 'Board 3 was taken out of the lab, and your session on it has ended.']
])('a session that ended because it was %s', async (reason, message) => {
  door.boards = [held(3, 3600)];
  await begin();
  door.boards = [board(3)];
  door.tell({ kind: 'session_ended', fpga_id: 3, owner: 'ada', reason, by: 'olga' });
  await settled();
  expect(messages()).toEqual([message]);
});

test.each([
  ['released', undefined],
  ['reset', 'ada']
])('a session that one %s oneself is nothing to tell', async (reason, by) => {
  door.boards = [held(3, 3600)];
  await begin();
  door.boards = [board(3)];
  door.tell({ kind: 'session_ended', fpga_id: 3, owner: 'ada', reason, by });
  await settled();
  expect(messages()).toEqual([]);
});

/** The lab goes away and comes back with this session. */
async function interrupted(lost: string | null): Promise<void> {
  door.live.end(1006);
  const { session } = door.boards[0];
  if (session) {
    session.registers_lost_at = lost;
  }
  jest.advanceTimersByTime(500);
  door.live.accept();
  await settled();
}

test('registers that were lost in a restart of the lab are told of, once', async () => {
  door.boards = [held(3, 3600)];
  await begin();
  await interrupted('2026-01-01T10:00:00Z');
  const first =
    'The lab was restarted and had to program board 3 again: what was in its registers is lost, ' +
    'and they are as they are after a reset.';
  expect(told).toEqual([{ kind: 'warning', message: first, actions: [] }]);
  await interrupted('2026-01-01T10:00:00Z');
  jest.advanceTimersByTime(5000);
  // The page is loaded again.
  watch.dispose();
  lab.dispose();
  await begin();
  expect(told.length).toBe(1);
  await interrupted('2026-01-01T10:30:00Z');
  expect(messages()).toEqual([first, first]);
});

test('a board that outlived a restart of the lab is nothing to tell', async () => {
  door.boards = [held(3, 3600)];
  await begin();
  await interrupted(null);
  expect(messages()).toEqual([]);
});

test('a session that ended while the lab was away is told of when it is back', async () => {
  door.boards = [held(3, 3600)];
  await begin();
  door.live.end(1006);
  door.boards = [board(3)];
  jest.advanceTimersByTime(500);
  door.live.accept();
  await settled();
  await jest.advanceTimersByTimeAsync(1000);
  expect(messages()).toEqual(['Your session on board 3 has ended while the lab was away.']);
});

test.each([
  ['kicked', 'olga', ['An operator has taken board 3 from you.']],
  ['released', 'ada', []]
])('why a session ended (%s) may be heard after it is known that it did', async (reason, by, said) => {
  door.boards = [held(3, 3600)];
  await begin();
  door.boards = [board(3)];
  // The lab is asked because of something else, and answers as it is by then.
  door.tell({ kind: 'session_renewed', fpga_id: 3, owner: 'ada' });
  await settled();
  expect(lab.sessions).toEqual([]);
  expect(messages()).toEqual([]);
  door.tell({ kind: 'session_ended', fpga_id: 3, owner: 'ada', reason, by });
  await settled();
  await jest.advanceTimersByTimeAsync(5000);
  expect(messages()).toEqual(said);
});
