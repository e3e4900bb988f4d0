/** A board's bus behind a `FakeSocket`, for tests: words at byte offsets, read and written by the stream's frames. */

import type { FakeSocket } from './socket';

export class FakeBoard {
  /** What was done, such as `read 4` and `write 8 = 1,2`. */
  readonly log: string[] = [];

  constructor(
    readonly words: Map<number, number>,
    /** Offsets that nobody answers. */
    readonly broken: number[] = []
  ) {}

  /** Answer all messages that were sent since this was last called; how many. */
  answer(socket: FakeSocket): number {
    const messages = socket.sent.splice(0);
    for (const message of messages) {
      socket.say(this._do(new DataView(message as ArrayBuffer)));
    }
    return messages.length;
  }

  private _do(view: DataView): ArrayBuffer {
    const answers: number[] = [];
    let failed = false;
    for (let at = 0; at < view.byteLength; ) {
      const [head, offset] = [view.getUint32(at), view.getUint32(at + 4)];
      const length = head & 0xffffff;
      const data = Array.from({ length }, (_, index) => view.getUint32(at + 8 + 4 * index));
      at += 8 + 4 * length;
      if (failed) {
        answers.push(0x02000000);
      } else if (this.broken.includes(offset)) {
        failed = true;
        answers.push(0x01000001, 0x6f6f6600);
      } else if (head >>> 24 === 1) {
        this.log.push(`write ${offset} = ${data.join(',')}`);
        data.forEach((word, index) => this.words.set(offset + 4 * index, word));
        answers.push(0);
      } else {
        this.log.push(`read ${offset}`);
        answers.push(data[0], ...Array.from({ length: data[0] }, (_, index) => this.words.get(offset + 4 * index) ?? 0));
      }
    }
    const message = new DataView(new ArrayBuffer(4 * answers.length));
    answers.forEach((word, index) => {
      message.setUint32(4 * index, word);
    });
    return message.buffer;
  }
}
