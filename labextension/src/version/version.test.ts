import { FakeDoor } from '../testing/door';
import { liveLab, trans } from '../testing/lab';
import { settled } from '../testing/settled';
import { VersionCheck } from './check';
import { compareVersions } from './compare';

test('versions are compared number by number', () => {
  expect(compareVersions('0.1.0', '0.1.0')).toBe('same');
  expect(compareVersions('0.9.0', '0.10.0')).toBe('page older');
  expect(compareVersions('1.0', '0.10.0')).toBe('lab older');
  expect(compareVersions('1.0.1', '1.0')).toBe('lab older');
  expect(compareVersions('1.0.0rc1', '1.0.0')).toBe('page older');
});

test.each([
  [
    '0.2.0',
    'This page has version 0.1.0 of the FPGA lab, and the lab has 0.2.0. Reload the page; if that does not help, ' +
      'upgrade jupyter-fpga where JupyterLab is installed.'
  ],
  [
    '0.0.9',
    'This page has version 0.1.0 of the FPGA lab, and the lab still has 0.0.9. Restart the server that hosts the ' +
      'lab, or ask whoever runs it to upgrade it.'
  ]
])('a lab of version %s is told of once, also when it comes back', async (version, sentence) => {
  jest.useFakeTimers();
  const door = new FakeDoor();
  door.answers['GET version'] = { name: 'jupyter_fpga', version };
  const lab = await liveLab(door);
  const told: string[] = [];
  new VersionCheck(lab, '0.1.0', trans, text => told.push(text));
  await settled();
  door.live.end(1006);
  jest.advanceTimersByTime(500);
  door.live.accept();
  await settled();
  expect(door.asked.filter(asked => asked === 'GET version').length).toBe(2);
  expect(told).toEqual([sentence]);
  lab.dispose();
  jest.useRealTimers();
});

test('the same version is nothing to tell', async () => {
  const lab = await liveLab(new FakeDoor());
  const told: string[] = [];
  new VersionCheck(lab, '0.1.0', trans, text => told.push(text));
  await settled();
  expect(told).toEqual([]);
  lab.dispose();
});
