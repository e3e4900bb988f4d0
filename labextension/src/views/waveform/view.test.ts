import { Recorder } from './testing/recorder';
import { busy, sample } from './testing/samples';
import { WaveformView } from './view';

/** The frames that are asked for, run by the test. */
let frames: FrameRequestCallback[] = [];
let recorders: Recorder[] = [];
let themeChanged: () => void = () => undefined;
let resized: () => void = () => undefined;

let view: WaveformView;

afterEach(() => {
  view.dispose();
});

beforeEach(() => {
  frames = [];
  recorders = [];
  // What jsdom doesn't have: a canvas, sizes, and frames.
  Object.assign(globalThis, {
    requestAnimationFrame: (frame: FrameRequestCallback) => frames.push(frame),
    cancelAnimationFrame: () => {
      frames = [];
    },
    matchMedia: () => ({
      addEventListener: (_: string, listener: () => void) => {
        themeChanged = listener;
      },
      removeEventListener: () => undefined
    }),
    ResizeObserver: class {
      constructor(listener: () => void) {
        resized = listener;
      }
      observe(): void {
        // Sizes change when the test says so.
      }
      disconnect(): void {
        resized = () => undefined;
      }
    }
  });
  jest.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(() => {
    const recorder = new Recorder();
    recorders.push(recorder);
    return recorder.context;
  });
  jest.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(900);
  jest.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(300);
  document.body.replaceChildren();
});

/** Run the frames that were asked for; returns how many. */
function frame(): number {
  const due = frames;
  frames = [];
  due.forEach(run => {
    run(0);
  });
  return due.length;
}

function opened(waveform = sample()): void {
  view = new WaveformView();
  document.body.append(view.node);
  view.show(waveform);
  frame();
}

function part(selector: string): HTMLElement {
  const found = view.node.querySelector<HTMLElement>(selector);
  if (found === null) {
    throw new Error(`There is no ${selector}`);
  }
  return found;
}

function press(element: HTMLElement, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  element.dispatchEvent(event);
  return event;
}

test('nothing is drawn when nothing has changed, and once when much has', () => {
  opened();
  expect(frames).toHaveLength(0);
  view.viewer?.pan(3);
  view.viewer?.zoom(0.5);
  view.viewer?.place(3);
  expect(frame()).toBe(1);
  expect(frames).toHaveLength(0);
});

test('names are a tree for screen readers', () => {
  opened();
  const tree = part('[role=tree]');
  const items = [...tree.querySelectorAll('[role=treeitem]')];
  expect(items.map(item => [item.textContent, item.getAttribute('aria-level'), item.getAttribute('aria-expanded')])).toEqual([
    ['▾ top', '1', 'true'],
    ['  clock0', '2', null],
    ['  led0', '2', null],
    ['▾ core', '2', 'true'],
    ['  stateIDLE', '3', null],
    ['▸ statusx', '3', 'false']
  ]);
  const active = tree.getAttribute('aria-activedescendant') ?? '';
  expect(document.getElementById(active)?.getAttribute('aria-selected')).toBe('true');
  expect([items[2].getAttribute('aria-posinset'), items[2].getAttribute('aria-setsize')]).toEqual(['2', '3']);
});

test('keys work in the picture and in the names, and are not taken when they mean nothing', () => {
  opened();
  const status = part('[role=status]');
  expect(status.textContent).toBe('Click to place a cursor; ? tells the keys.');
  expect(press(part('[role=tree]'), 'ArrowDown').defaultPrevented).toBe(true);
  press(part('canvas'), 'n');
  frame();
  expect(status.textContent).toBe('top.led = 1 at A  ·  A: 20 cycles (1.66667 µs)');
  expect(press(part('canvas'), 'Tab').defaultPrevented).toBe(false);
  expect(press(part('canvas'), 'a', { ctrlKey: true }).defaultPrevented).toBe(false);
  // JupyterLab's own keys keep out.
  expect(view.node.dataset['lmSuppressShortcuts']).toBe('true');
});

test('a value is found from the box', () => {
  opened();
  press(part('[role=tree]'), 'End');
  const box = part('input') as HTMLInputElement;
  press(part('canvas'), '/');
  expect(document.activeElement).toBe(box);
  box.value = '9b';
  press(box, 'Enter');
  frame();
  expect(part('[role=status]').textContent).toContain('top.core.status = 9b at A');
  const radix = part('select') as HTMLSelectElement;
  radix.value = 'unsigned';
  radix.dispatchEvent(new Event('change'));
  frame();
  expect(part('[role=status]').textContent).toContain('top.core.status = 155 at A');
});

test('buttons do what they say', () => {
  opened();
  const button = (label: string): HTMLElement => part(`button[aria-label="${label}"]`);
  button('Zoom in').click();
  expect(view.viewer?.scale.stop).toBeLessThan(100);
  button('Show everything').click();
  expect(view.viewer?.scale.stop).toBe(100);
  button('Next change of the selected signal').click();
  button('Cursor B').click();
  expect(view.viewer?.cursors).toEqual([1, 50]);
  button('Show what is between the cursors').click();
  expect(view.viewer?.scale.start).toBeCloseTo(1);
  const help = part('.fpga-Wave-help');
  expect(help.hidden).toBe(true);
  button('Keys').click();
  expect([help.hidden, button('Keys').getAttribute('aria-expanded')]).toEqual([false, 'true']);
});

test('a click on a name selects it, and again folds it', () => {
  opened();
  const item = (text: string): HTMLElement =>
    [...view.node.querySelectorAll<HTMLElement>('[role=treeitem]')].find(one => one.textContent?.includes(text)) as HTMLElement;
  item('status').click();
  expect(view.viewer?.row?.label).toBe('status');
  item('status').click();
  frame();
  expect(item('level').textContent).toBe('  levelx');
  item('core').click();
  frame();
  expect(view.viewer?.rows.map(row => row.label)).toEqual(['top', 'clock', 'led', 'core']);
});

test('of ten thousand signals only those in view are elements', () => {
  opened(busy(10_000, 2));
  expect(view.node.querySelectorAll('[role=treeitem]').length).toBeLessThan(20);
  press(part('[role=tree]'), 'End');
  frame();
  expect(part('.fpga-Wave-body').scrollTop).toBeGreaterThan(200_000);
  const last = [...view.node.querySelectorAll('[role=treeitem]')].map(item => item.textContent);
  expect(last[last.length - 1]).toContain('bus9999');
});

test('another theme is another drawing, and another size too', () => {
  opened();
  recorders = [];
  themeChanged();
  expect(frame()).toBe(1);
  document.body.setAttribute('data-jp-theme-light', 'false');
  return Promise.resolve().then(() => {
    expect(frame()).toBe(1);
    resized();
    expect(frame()).toBe(1);
    expect(recorders).toHaveLength(3);
  });
});

test('a view that is gone draws no more', () => {
  opened();
  view.viewer?.pan(1);
  view.dispose();
  expect(frame()).toBe(0);
  expect(document.body.childElementCount).toBe(0);
});
