import { plainTrans } from '../trans';
import { keyCommand } from './keys';
import { sample } from './testing/samples';
import { Viewer } from './viewer';

let changes = 0;

function viewer(): Viewer {
  const made = new Viewer(sample(), plainTrans, () => {
    changes += 1;
  });
  made.resize(500);
  return made;
}

/** Select a row by its label. */
function choose(shown: Viewer, label: string): void {
  shown.choose(shown.rows.findIndex(row => row.label === label));
}

/** Press keys such as `Shift+ArrowRight`; a key that means nothing is an error. */
function press(shown: Viewer, where: 'names' | 'picture', ...keys: string[]): void {
  for (const key of keys) {
    const shiftKey = key.startsWith('Shift+');
    const pressed = { key: key.replace('Shift+', ''), shiftKey, ctrlKey: false, altKey: false, metaKey: false };
    const command = keyCommand(pressed, where);
    if (command === null) {
      throw new Error(`${key} means nothing`);
    }
    command(shown);
  }
}

test('levels of the hierarchy and fields are rows that fold', () => {
  const shown = viewer();
  const labels = (): string[] => shown.rows.map(row => `${'  '.repeat(row.depth)}${row.label}`);
  expect(labels()).toEqual(['top', '  clock', '  led', '  core', '    state', '    status']);
  expect(shown.row?.label).toBe('clock');
  choose(shown, 'status');
  press(shown, 'names', 'ArrowRight');
  expect(labels().slice(5)).toEqual(['    status', '      mode', '      level']);
  press(shown, 'names', 'ArrowRight', 'ArrowDown');
  expect(shown.row?.label).toBe('level');
  shown.place(60);
  expect(shown.rows.map(row => shown.valueOf(row))).toEqual(['', '0', '1', '', 'RUN', '9b', 'RUN', '9']);
  press(shown, 'names', 'ArrowLeft');
  expect(shown.row?.label).toBe('status');
  press(shown, 'names', 'ArrowLeft', 'ArrowLeft', 'Enter');
  expect(labels()).toEqual(['top', '  clock', '  led', '  core']);
  press(shown, 'names', 'Home', ' ');
  expect(labels()).toEqual(['top']);
  press(shown, 'names', 'End', 'ArrowDown', 'ArrowUp', 'ArrowUp');
  expect(shown.row?.label).toBe('top');
});

test('a cursor goes from change to change of the selected signal, and says where it is', () => {
  const shown = viewer();
  choose(shown, 'led');
  expect(shown.summary).toBe('');
  press(shown, 'picture', 'n');
  expect(shown.summary).toBe('top.led = 1 at A  ·  A: 20 cycles (1.66667 µs)');
  press(shown, 'picture', 'n', 'n');
  expect(shown.summary).toBe('top.led does not change any more.  ·  top.led = 0 at A  ·  A: 70 cycles (5.83333 µs)');
  press(shown, 'picture', 'Shift+ArrowLeft', 'p');
  expect(shown.cursors).toEqual([20, null]);
  press(shown, 'picture', 'p', 'p');
  expect(shown.summary).toBe('top.led does not change before.  ·  top.led = 0 at A  ·  A: 0 cycles (0 s)');
});

test('one cycle is one, in either direction', () => {
  const shown = viewer();
  shown.place(1);
  press(shown, 'picture', 'b');
  shown.place(0);
  expect(shown.summary).toContain('A: 1 cycle (83.3333 ns)  ·  B: 0 cycles (0 s)  ·  B − A: -1 cycle, 83.3333 ns');
});

test('two cursors measure', () => {
  const shown = viewer();
  choose(shown, 'led');
  press(shown, 'picture', 'n', 'b', 't');
  expect(shown.summary).toBe(
    'top.led = 1 at B  ·  A: 20 cycles (1.66667 µs)  ·  B: 30 cycles (2.5 µs)  ·  ' +
      'B − A: 10 cycles, 833.333 ns, 1.2 MHz'
  );
  press(shown, 'picture', 'z');
  expect([shown.scale.start, shown.scale.stop]).toEqual([20, 30]);
  press(shown, 'picture', 'a', 'Shift+ArrowRight');
  expect(shown.cursors).toEqual([21, 30]);
  press(shown, 'picture', 'Escape');
  expect(shown.summary).toBe('');
});

test('a cursor that is not placed appears in the middle of what is seen', () => {
  const shown = viewer();
  press(shown, 'picture', 'Shift+ArrowRight');
  expect(shown.cursors).toEqual([50, null]);
});

test('a value is searched from the cursor on', () => {
  const shown = viewer();
  choose(shown, 'status');
  shown.find('9b', 1);
  expect(shown.cursors[0]).toBe(60);
  shown.find('9A', -1);
  expect(shown.cursors[0]).toBe(10);
  shown.find('77', 1);
  expect(shown.notice).toBe('top.core.status is not 77 any more in this direction.');
  shown.find('what', 1);
  expect(shown.notice).toBe('“what” is no value of top.core.status.');
  choose(shown, 'state');
  shown.find('RUN', 1);
  expect([shown.cursors[0], shown.notice]).toEqual([40, '']);
  choose(shown, 'core');
  shown.find('RUN', 1);
  expect(shown.notice).toBe('No signal is selected.');
});

test('what is found is brought into view', () => {
  const shown = viewer();
  shown.show(0, 10);
  choose(shown, 'led');
  press(shown, 'picture', 'n');
  expect(shown.scale.x(20)).toBeCloseTo(250);
});

test('the picture is panned and zoomed by keys, about the cursor', () => {
  const shown = viewer();
  shown.place(25);
  const x = shown.scale.x(25);
  press(shown, 'picture', '+', '+');
  expect(shown.scale.x(25)).toBeCloseTo(x);
  const { start } = shown.scale;
  press(shown, 'picture', 'ArrowRight');
  expect(shown.scale.start).toBeCloseTo(start + 25 / 4);
  press(shown, 'picture', 'ArrowLeft', 'End');
  expect(shown.scale.stop).toBeCloseTo(100);
  press(shown, 'picture', 'Home', '-', '0');
  expect([shown.scale.start, shown.scale.stop]).toEqual([0, 100]);
});

test('each signal has its own radix', () => {
  const shown = viewer();
  shown.place(10);
  choose(shown, 'status');
  const row = shown.rows[shown.selected];
  const seen = [0, 1, 2, 3, 4, 5, 6].map(() => {
    const text = shown.valueOf(row);
    press(shown, 'names', 'r');
    return text;
  });
  expect(seen).toEqual(['9a', '9a', '154', '-102', '10011010', '·', '9a']);
  choose(shown, 'state');
  expect(shown.valueOf(shown.rows[shown.selected])).toBe('IDLE');
});

test('what is selected is zoomed to', () => {
  const shown = viewer();
  shown.select(60, 40);
  shown.take();
  expect([shown.scale.start, shown.scale.stop, shown.range]).toEqual([40, 60, null]);
});

test('keys with Ctrl, Alt or Meta are somebody else’s', () => {
  for (const held of ['ctrlKey', 'altKey', 'metaKey']) {
    const pressed = { key: 'a', shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, [held]: true };
    expect(keyCommand(pressed, 'picture')).toBeNull();
  }
  expect(keyCommand({ key: 'Tab', shiftKey: false, ctrlKey: false, altKey: false, metaKey: false }, 'names')).toBeNull();
});

test('every command asks for a new drawing', () => {
  const shown = viewer();
  shown.place(50);
  for (const key of ['+', '-', '0', 'z', 'a', 'b', 't', 'n', 'p', 'r', 'Escape', 'ArrowDown']) {
    changes = 0;
    press(shown, 'picture', key);
    expect([key, changes > 0]).toEqual([key, true]);
  }
});
