import { about, clock } from './time';
import { plainTrans } from './trans';

test('exact times are as clocks show them', () => {
  const shown = [0, 0.2, 59, 60, 3599.5, 3600, 36_061].map(clock);
  expect(shown).toEqual(['0:00', '0:01', '0:59', '1:00', '1:00:00', '1:00:00', '10:01:01']);
});

test('other times are minutes, and seconds in the last one', () => {
  const shown = [0, 0.2, 59.9, 60, 119, 7200].map(seconds => about(seconds, plainTrans));
  expect(shown).toEqual(['0 s', '1 s', '60 s', '1 min', '1 min', '120 min']);
});
