import type { IBoard } from '../lab/records';
import { board, held, heldBy } from '../testing/records';
import { CommandIDs } from './ids';
import { operations } from './operations';

const { takeBack, quarantine, clear, reset } = CommandIDs;

test.each<[string, IBoard, string[]]>([
  ['idle', board(0), [quarantine]],
  ['one’s own', held(0, 60), []],
  ["somebody else's", heldBy('grace', 0), [takeBack]],
  ["somebody else's that is programmed again", { ...heldBy('grace', 0), state: 'programming' }, []],
  ['being reset', board(0, { state: 'reserved', current_job_id: 'a' }), []],
  ['failed', board(0, { state: 'error' }), [reset, quarantine]],
  ['failed and being reset', board(0, { state: 'error', current_job_id: 'a' }), []],
  ['out of service', board(0, { state: 'error', health: 'quarantined' }), [clear]]
])('what may be done to a board that is %s', (_, record, todo) => {
  expect(operations({ isOperator: true }, record)).toEqual(todo);
});
