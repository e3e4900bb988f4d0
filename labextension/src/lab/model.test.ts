import { FakeDoor } from '../testing/door';
import { board, held, job } from '../testing/records';
import { settled } from '../testing/settled';
import { RETRIES } from './events';
import { Lab } from './model';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

async function live(door: FakeDoor): Promise<Lab> {
  const lab = new Lab(door);
  door.live.accept();
  door.tell({ kind: 'watermark' });
  await settled();
  expect(lab.connection).toBe('live');
  door.asked.length = 0;
  return lab;
}

test('all is asked for when the lab is there, and nothing before', async () => {
  const door = new FakeDoor();
  door.boards = [held(1, 60), board(0)];
  door.jobs = [job('a', 1), job('b', 2)];
  const lab = new Lab(door);
  await settled();
  expect(door.asked).toEqual([]);
  expect(lab.connection).toBe('starting');
  door.live.accept();
  await settled();
  expect(lab.connection).toBe('live');
  expect(lab.boards.map(each => each.fpga_id)).toEqual([0, 1]);
  expect(lab.sessions.map(each => [each.fpga_id, each.session_id])).toEqual([[1, 'session-1']]);
  expect(lab.jobs.map(each => each.job_id)).toEqual(['b', 'a']);
  expect(lab.me).toEqual({ name: 'ada', roles: ['student'] });
  lab.dispose();
  expect(door.live.closed).toBe(true);
});

test('an event lets what it is about be asked for, once for many, and nothing else', async () => {
  const door = new FakeDoor();
  door.boards = [board(0), board(1)];
  const lab = await live(door);
  const changes: (readonly number[])[] = [];
  lab.boardsChanged.connect((_, changed) => {
    changes.push(changed);
  });
  door.boards[1] = held(1, 3600);
  for (let turn = 0; turn < 50; turn += 1) {
    door.tell({ kind: 'board_state', fpga_id: 1 });
  }
  await settled();
  // At once for the first of them, once more for all that came meanwhile.
  expect(door.asked).toEqual(['GET fpga/1', 'GET fpga/1']);
  expect(changes).toEqual([[1]]);
  door.asked.length = 0;
  door.tell({ kind: 'watermark' });
  door.tell({ kind: 'job_status', job_id: 'x', fpga_id: 1, type: 'run' });
  door.tell({ kind: 'action_completed' });
  await settled();
  expect(door.asked).toEqual([]);
  door.jobs = [job('b', 9)];
  door.tell({ kind: 'job_status', job_id: 'b', type: 'build' });
  await settled();
  expect(door.asked).toEqual(['GET jobs/b']);
  expect(lab.job('b')?.lsn).toBe(9);
  lab.dispose();
});

test('many boards at once are one question, and a job that waits moves up when a board does', async () => {
  const door = new FakeDoor();
  door.boards = Array.from({ length: 200 }, (_, id) => board(id));
  door.jobs = [job('a', 1, { position: 3 })];
  const lab = await live(door);
  door.tell({ kind: 'board_state', fpga_id: 0 });
  for (let id = 1; id < 200; id += 1) {
    door.tell({ kind: 'board_state', fpga_id: id });
  }
  door.jobs[0].position = 1;
  await settled();
  expect(door.asked).toEqual(['GET fpga/0', 'GET jobs/a', 'GET fpga', 'GET jobs/a']);
  expect(lab.job('a')?.position).toBe(1);
  lab.dispose();
});

test('many jobs that wait are asked for as lists', async () => {
  const door = new FakeDoor();
  door.boards = [board(0)];
  door.jobs = Array.from({ length: 20 }, (_, index) => job(`job-${index}`, index, { position: index + 2 }));
  const lab = await live(door);
  door.jobs.forEach((each, index) => {
    each.position = index + 1;
  });
  door.tell({ kind: 'board_state', fpga_id: 0 });
  await settled();
  expect(door.asked).toEqual([
    'GET fpga/0',
    'GET jobs?type=build_and_program&limit=30',
    'GET jobs?type=build&limit=30',
    'GET jobs?type=reset&limit=30',
    'GET jobs?type=build_and_program&status=queued',
    'GET jobs?type=build&status=queued'
  ]);
  expect(lab.job('job-7')?.position).toBe(8);
  lab.dispose();
});

test('of an operator, only their own jobs are asked for and heard of', async () => {
  const door = new FakeDoor();
  door.answers['GET me'] = { name: 'olga o', roles: ['operator', 'student'] };
  const mine = job('mine', 5, { owner: 'olga o' });
  door.answers['GET jobs?type=build&limit=30&owner=olga%20o'] = [mine];
  const lab = new Lab(door);
  door.live.accept();
  await settled();
  expect(door.asked.filter(asked => asked.includes('jobs')).every(asked => asked.endsWith('&owner=olga%20o'))).toBe(true);
  expect(lab.jobs.map(each => each.job_id)).toEqual(['mine']);
  door.asked.length = 0;
  door.tell({ kind: 'job_status', job_id: 'other', type: 'build', owner: 'ada' });
  await settled();
  expect(door.asked).toEqual([]);
  lab.dispose();
});

test('a frame that is missing lets all be asked for', async () => {
  const door = new FakeDoor();
  const lab = await live(door);
  door.tell({ kind: 'watermark', prev: 40, lsn: 41 });
  await settled();
  expect(door.asked).toContain('GET fpga');
  lab.dispose();
});

test('a lab that goes away is lost, is called again, and is as it is then', async () => {
  const door = new FakeDoor();
  door.boards = [board(0)];
  const lab = await live(door);
  const seen: string[] = [];
  lab.connectionChanged.connect((_, connection) => {
    seen.push(connection);
  });
  door.live.end(1006);
  expect(lab.connection).toBe('lost');
  // Two calls that nobody answers.
  jest.advanceTimersByTime(RETRIES[0]);
  door.live.end(1006);
  jest.advanceTimersByTime(RETRIES[1]);
  expect(door.sockets.length).toBe(3);
  door.boards = [held(0, 60)];
  door.live.accept();
  await settled();
  expect(lab.connection).toBe('live');
  expect(seen).toEqual(['lost', 'live']);
  expect(lab.sessions.length).toBe(1);
  lab.dispose();
});

test('a lab that is not ready yet is asked again', async () => {
  const door = new FakeDoor();
  door.away = true;
  const lab = new Lab(door);
  door.live.accept();
  await settled();
  expect(lab.connection).toBe('starting');
  expect(lab.trouble).toBe('The Jupyter server does not answer.');
  door.away = false;
  jest.advanceTimersByTime(2000);
  await settled();
  expect(lab.connection).toBe('live');
  expect(lab.trouble).toBe('');
  lab.dispose();
});

test('what is gone is forgotten', async () => {
  const door = new FakeDoor();
  door.boards = [board(0), board(1)];
  const lab = await live(door);
  door.boards = [board(1)];
  door.tell({ kind: 'board_retired', fpga_id: 0 });
  door.tell({ kind: 'job_status', job_id: 'nobody', type: 'build' });
  await settled();
  expect(lab.boards.map(each => each.fpga_id)).toEqual([1]);
  expect(lab.trouble).toBe('');
  lab.dispose();
});

test("time left goes by the lab's clock, whatever one's own says", async () => {
  const door = new FakeDoor();
  door.boards = [held(0, 60)];
  const session = door.boards[0].session;
  if (session) {
    // The lab's clock is an hour ahead.
    session.expires_at = new Date(Date.now() + 3_660_000).toISOString();
  }
  const lab = await live(door);
  expect(lab.secondsLeft(lab.sessions[0])).toBeCloseTo(60, 1);
  jest.advanceTimersByTime(50_000);
  expect(lab.secondsLeft(lab.sessions[0])).toBeCloseTo(10, 1);
  jest.advanceTimersByTime(50_000);
  expect(lab.secondsLeft(lab.sessions[0])).toBe(0);
  lab.dispose();
});

test('what one does is a request', async () => {
  const door = new FakeDoor();
  const lab = await live(door);
  await lab.renew(3);
  await lab.release(3);
  await lab.reset(4);
  await lab.cancel('a');
  expect(door.asked).toEqual([
    'POST fpga/3/session/renew',
    'POST fpga/3/session/release',
    'POST fpga/4/reset',
    'DELETE jobs/a'
  ]);
  lab.dispose();
});
