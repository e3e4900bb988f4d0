import { magicLine, withBoard } from './cell';

test('a cell asks for the board that was picked, and for no other any more', () => {
  expect(withBoard('%%fpga\nclass Top: ...', 3)).toBe('%%fpga --board 3\nclass Top: ...');
  expect(withBoard('%%fpga --name pwm', 0)).toBe('%%fpga --board 0 --name pwm');
  expect(withBoard('%%fpga --board 1 --name pwm\n# --board 1', 12)).toBe('%%fpga --board 12 --name pwm\n# --board 1');
  expect(withBoard('%%fpga --board=1', 2)).toBe('%%fpga --board 2');
});

test('other cells are left alone', () => {
  expect(withBoard('print(1)', 3)).toBeNull();
  expect(withBoard('', 3)).toBeNull();
  expect(withBoard('# %%fpga', 3)).toBeNull();
  expect(withBoard('%%fpgas', 3)).toBeNull();
});

test('a first cell asks for a board, or for any', () => {
  expect(magicLine(null)).toBe('%%fpga --name pwm');
  expect(magicLine(4)).toBe('%%fpga --board 4 --name pwm');
});
