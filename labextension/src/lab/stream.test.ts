import { decode, encode } from './stream';

function hex(message: ArrayBuffer): string {
  return [...new Uint8Array(message)].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

function bytes(text: string): ArrayBuffer {
  return Uint8Array.from(text.match(/../g) ?? [], pair => parseInt(pair, 16)).buffer;
}

test('operations of one run are request frames one behind the other', () => {
  const message = encode([{ offset: 4, count: 3 }, { offset: 0x100, data: [1, 0xdeadbeef] }]);
  expect(hex(message)).toBe('020000010000000400000003' + '010000020000010000000001deadbeef');
});

test('answers are words, or the reason why there are none', () => {
  const answers = decode(bytes('00000002' + '00000007ffffffff' + '01000001' + '6f6f6600' + '02000000' + '00000000'));
  expect(answers).toEqual([[7, 0xffffffff], 'oof', '', []]);
});
