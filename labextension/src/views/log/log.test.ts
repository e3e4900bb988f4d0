import { part, texts } from '../../testing/dom';
import { PLAIN, piecesOf, textOf } from './ansi';
import { LogView } from './index';
import { Lines } from './lines';

/** The browser's next picture. */
function picture(): Promise<void> {
  return new Promise(resolve =>
    requestAnimationFrame(() => {
      resolve();
    })
  );
}

/** jsdom lays nothing out: the view is told that it is `height` px high. */
function shown(height: number): LogView {
  const view = new LogView();
  document.body.append(view.node);
  const scroll = part(view.node, '.jp-FpgaLog-scroll');
  Object.defineProperty(scroll, 'clientHeight', { value: height });
  return view;
}

function seen(view: LogView): string[] {
  return texts(view.node, '.jp-FpgaLog-seen > div');
}

test('looks are set, joined and ended, and other escape sequences are no text', () => {
  const line = '\x1b[1;31mred\x1b[22m thin\x1b[39;44m blue ground\x1b[0m plain\x1b[38;5;196mx\x1b[38;2;1;2;3my\x1b[2K';
  const { pieces, after } = piecesOf(line, PLAIN);
  expect(pieces).toEqual([
    { text: 'red', look: { weights: ['bold'], foreground: 'var(--jp-FpgaLog-ansi1)', background: '' } },
    { text: ' thin', look: { weights: [], foreground: 'var(--jp-FpgaLog-ansi1)', background: '' } },
    { text: ' blue ground', look: { weights: [], foreground: '', background: 'var(--jp-FpgaLog-ansi4)' } },
    { text: ' plain', look: PLAIN },
    { text: 'x', look: { weights: [], foreground: 'rgb(255 0 0)', background: '' } },
    { text: 'y', look: { weights: [], foreground: 'rgb(1 2 3)', background: '' } }
  ]);
  expect(after.foreground).toBe('rgb(1 2 3)');
  expect(textOf('\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x07 and \x1b[92;1mgreen\x1b[m')).toBe('link and green');
});

test('text that comes in pieces is the lines that it would be in one', () => {
  const text = 'one\r\n\x1b[32mtwo\nthree\x1b[0m\n\n10%\r55%\r100%\nlast';
  const whole = new Lines();
  whole.append(text);
  for (let size = 1; size < 9; size += 1) {
    const pieces = new Lines();
    for (let at = 0; at < text.length; at += size) {
      pieces.append(text.slice(at, at + size));
    }
    expect(pieces.all()).toBe('one\ntwo\nthree\n\n100%\nlast\n');
    expect(pieces.all()).toBe(whole.all());
    expect(pieces.length).toBe(6);
  }
  // The colour that the line before began.
  expect(whole.pieces(2)[0].look.foreground).toBe('var(--jp-FpgaLog-ansi2)');
  expect(whole.pieces(3)).toEqual([]);
});

test('of a hundred thousand lines only those in sight are elements, and the end is in sight', async () => {
  const view = shown(360);
  view.append(Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`).join(''));
  await picture();
  const lines = seen(view);
  expect(lines.length).toBeLessThan(120);
  expect(lines.at(-1)).toBe('line 99999');
  expect(view.length).toBe(100_000);
  view.dispose();
});

test('scrolling up ends following, and what comes then leaves the seen lines as they are', async () => {
  const view = shown(360);
  view.append('line\n'.repeat(1000));
  await picture();
  const scroll = part(view.node, '.jp-FpgaLog-scroll');
  const follow = part(view.node, 'button[aria-pressed]');
  expect(follow.getAttribute('aria-pressed')).toBe('true');
  Object.defineProperty(scroll, 'scrollHeight', { value: 18_000, configurable: true });
  scroll.scrollTop = 17_640;
  scroll.dispatchEvent(new Event('scroll'));
  expect(view.follow).toBe(true);
  scroll.scrollTop = 1800;
  scroll.dispatchEvent(new Event('scroll'));
  expect(view.follow).toBe(false);
  expect(follow.getAttribute('aria-pressed')).toBe('false');
  await picture();
  const first = view.node.querySelector('.jp-FpgaLog-seen > div');
  view.append('more\n'.repeat(10));
  await picture();
  expect(view.node.querySelector('.jp-FpgaLog-seen > div')).toBe(first);
  scroll.scrollTop = 17_640;
  scroll.dispatchEvent(new Event('scroll'));
  expect(view.follow).toBe(true);
  view.dispose();
});

test('what is looked for is marked, counted, and gone to, also in lines that come later', async () => {
  const view = shown(360);
  view.append('a Warning here\nnothing\nwa\x1b[31mrning\x1b[0m again, warning\n');
  const input = part(view.node, 'input');
  input.value = 'warning';
  input.dispatchEvent(new Event('input'));
  await picture();
  expect(texts(view.node, 'mark')).toEqual(['Warning', 'wa', 'rning', 'warning']);
  const count = part(view.node, 'output');
  expect(count.textContent).toBe('1 of 2 lines');
  input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
  await picture();
  expect(count.textContent).toBe('2 of 2 lines');
  expect(view.node.querySelector('.current')?.textContent).toBe('warning again, warning');
  view.append('a warning more\n');
  await picture();
  expect(count.textContent).toBe('2 of 3 lines');
  view.find('no such thing');
  await picture();
  expect(count.textContent).toBe('Not found');
  view.clear();
  view.find('');
  await picture();
  expect(count.textContent).toBe('');
  expect(seen(view)).toEqual([]);
  view.dispose();
});

test('how many lines have what is looked for is said as numbers want it', async () => {
  const view = shown(360);
  const said = async (wanted: string): Promise<string[]> => {
    view.find(wanted);
    await picture();
    return texts(view.node, 'output');
  };
  view.append('one\ntwo\nthree\n');
  expect(await said('o')).toEqual(['1 of 2 lines']);
  expect(await said('three')).toEqual(['1 of 1 line']);
  expect(await said('four')).toEqual(['Not found']);
  view.dispose();
});
