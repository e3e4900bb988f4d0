import { trans } from './testing/lab';
import { board } from './testing/records';
import { plainTrans } from './views/trans';
import { freeBoards } from './words';

test('boards that are free are counted as numbers want it', () => {
  expect(freeBoards(trans, [])).toBe('0 of 0 boards free');
  expect(freeBoards(trans, [board(0)])).toBe('1 of 1 board free');
  expect(freeBoards(trans, [board(0), board(1, { state: 'error' })])).toBe('1 of 2 boards free');
});

test.each([0, 1, 2])('without a translator, %i is said as with one', number => {
  const [one, many] = ['%1 bit of %2', '%1 bits of %2, 100 % of %1'];
  expect(plainTrans._n(one, many, number, 'led')).toBe(trans._n(one, many, number, 'led'));
  expect(plainTrans.__('%2, %1 and %2: %3', 'a', number)).toBe('%2, a and %2: %3'.replaceAll('%2', String(number)));
});
