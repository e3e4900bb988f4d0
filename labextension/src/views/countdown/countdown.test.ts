import { Refusal } from '../../lab/door';
import type { IEvent } from '../../lab/events';
import { part, texts } from '../../testing/dom';
import { FakeDoor } from '../../testing/door';
import { SessionCountdown } from './countdown';

let door: FakeDoor;
let countdown: SessionCountdown;

async function settled(): Promise<void> {
  await jest.advanceTimersByTimeAsync(0);
  await jest.advanceTimersByTimeAsync(0);
}

function session(seconds: number, id: string | null = 'mine'): object {
  const end = new Date(1_000_000 + seconds * 1000).toISOString();
  return { session_id: id, owner: 'ada', expires_at: end, remaining_seconds: seconds };
}

function ended(reason: string, owner = 'ada'): Partial<IEvent> {
  return { kind: 'session_ended', fpga_id: 2, owner, reason, by: 'eve' };
}

function none(): never {
  throw new Refusal('no_active_session', 'Board 2 has no active session.', 404);
}

async function shown(answer: unknown): Promise<void> {
  door.answers['GET fpga/2/session'] = answer;
  countdown = new SessionCountdown(door, { name: 'pwm', fpgaId: 2 });
  document.body.replaceChildren(countdown.node);
  door.live.accept();
  await settled();
}

const left = (): string | null => part(countdown.node, '[role=timer]').textContent;
const status = (): string[] => texts(countdown.node, '[role=status]');

beforeEach(() => {
  jest.useFakeTimers();
  door = new FakeDoor();
});

afterEach(() => {
  countdown.dispose();
  jest.useRealTimers();
});

test('the clock runs by itself, and the lab is asked only when something has happened', async () => {
  await shown(session(3600));
  expect(left()).toBe('1:00:00');
  await jest.advanceTimersByTimeAsync(90_000);
  expect(left()).toBe('58:30');
  door.tell({ kind: 'board_state', fpga_id: 1 });
  door.tell({ kind: 'job_status', fpga_id: 2 });
  await settled();
  expect(door.asked).toEqual(['GET fpga/2/session']);
  door.answers['GET fpga/2/session'] = session(4000);
  door.tell({ kind: 'session_renewed', fpga_id: 2 });
  await settled();
  expect(left()).toBe('1:06:40');
  expect(door.asked).toHaveLength(2);
});

test('its last five minutes are said once, and no more when it is renewed', async () => {
  await shown(session(301));
  expect(status()).toEqual(['']);
  await jest.advanceTimersByTimeAsync(1000);
  expect(status()).toEqual(['The session is about to end: renew it to keep the board.']);
  expect(countdown.node.dataset.is).toBe('short');
  door.answers['POST fpga/2/session/renew'] = session(3600);
  part(countdown.node, '[aria-label="Renew board 2"]').click();
  await settled();
  expect(status()).toEqual(['']);
  expect(countdown.node.dataset.is).toBe('held');
  expect(left()).toBe('1:00:00');
  part(countdown.node, '[aria-label="Renew board 2"]').click();
  await settled();
  expect(status()).toEqual(['The lab lets nobody hold a board for longer than this.']);
});

test.each([
  ['released', 'You gave board 2 back.'],
  ['expired', 'The time on board 2 has run out. Run the design’s cell again to get a board.'],
  ['kicked', 'eve has taken board 2 back. Run the design’s cell again to get a board.'],
  ['reset', 'Board 2 was reset. Run the design’s cell again to get a board.'],
  ['board_failed', 'Board 2 has failed. Run the design’s cell again to get another one.'],
  ['board_removed', 'The lab has board 2 no more. Run the design’s cell again to get another one.'],
  ['unheard_of', 'You hold board 2 no more. Run the design’s cell again to get a board.']
])('a session that ends as %s says so', async (reason, sentence) => {
  await shown(session(3600));
  door.answers['GET fpga/2/session'] = none;
  door.tell(ended(reason));
  await settled();
  expect(status()).toEqual([sentence]);
  expect(left()).toBe('');
  expect(part(countdown.node, '[aria-label="Release board 2"]').parentElement?.hidden).toBe(true);
  // The cell has been run again.
  door.answers['GET fpga/2/session'] = session(3600, 'next');
  door.tell({ kind: 'session_started', fpga_id: 2 });
  await settled();
  expect(status()).toEqual(['']);
  expect(left()).toBe('1:00:00');
});

test('why it ended is also said when that is heard after it is known', async () => {
  await shown(session(3600));
  door.answers['GET fpga/2/session'] = none;
  // Asked because of something else, with an answer from after the end.
  door.tell({ kind: 'session_renewed', fpga_id: 2 });
  await settled();
  expect(status()).toEqual(['You hold board 2 no more. Run the design’s cell again to get a board.']);
  door.tell(ended('kicked'));
  await settled();
  expect(status()).toEqual(['eve has taken board 2 back. Run the design’s cell again to get a board.']);
  // Somebody else's, after one's own.
  door.tell(ended('expired', 'bob'));
  door.tell(ended('expired'));
  await settled();
  expect(status()).toEqual(['eve has taken board 2 back. Run the design’s cell again to get a board.']);
});

test('an answer from before the end changes nothing after it', async () => {
  await shown(session(3600));
  let answer: (session: object) => void = () => undefined;
  const later = (): Promise<object> =>
    new Promise(resolve => {
      answer = resolve;
    });
  // Asked before the board is taken back, and answered when that is known already.
  door.answers['GET fpga/2/session'] = later;
  door.tell({ kind: 'session_renewed', fpga_id: 2 });
  await settled();
  door.tell(ended('kicked'));
  door.answers['GET fpga/2/session'] = none;
  answer(session(3600));
  await settled();
  expect(status()).toEqual(['eve has taken board 2 back. Run the design’s cell again to get a board.']);
  // The same of a renewal.
  door.answers['GET fpga/2/session'] = session(3600, 'next');
  door.tell({ kind: 'session_started', fpga_id: 2 });
  await settled();
  door.answers['POST fpga/2/session/renew'] = later;
  part(countdown.node, '[aria-label="Renew board 2"]').click();
  door.answers['GET fpga/2/session'] = none;
  door.tell(ended('expired'));
  await settled();
  answer(session(3600, 'next'));
  await settled();
  expect(status()).toEqual(['The time on board 2 has run out. Run the design’s cell again to get a board.']);
  expect(left()).toBe('');
});

test('a board that somebody else holds by now is no longer one’s own', async () => {
  await shown(session(3600, null));
  expect(status()).toEqual(['You hold board 2 no more. Run the design’s cell again to get a board.']);
  // Whoever sees the sessions of others isn't told that their end is one's own.
  door.answers['GET fpga/2/session'] = none;
  door.tell(ended('released'));
  await settled();
  expect(status()).toEqual(['You hold board 2 no more. Run the design’s cell again to get a board.']);
});

test('a lab that goes away leaves the clock running, and what it refuses is told', async () => {
  await shown(session(3600));
  door.live.end(1006);
  expect(status()).toEqual(['The lab does not answer. Trying again …']);
  await jest.advanceTimersByTimeAsync(1000);
  expect(left()).toBe('59:59');
  door.live.accept();
  await settled();
  expect(status()).toEqual(['']);
  door.answers['POST fpga/2/session/release'] = () => {
    throw new Refusal('fpga_not_resettable', 'Board 2 is being programmed.', 409);
  };
  part(countdown.node, '[aria-label="Release board 2"]').click();
  await settled();
  expect(status()).toEqual(['Board 2 is being programmed.']);
});
