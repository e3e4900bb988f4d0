/** The live path to one board's registers: `WS …/fpga/{id}/stream`, whose frames the lab's API describes. */

import type { IDoor, ISocket } from './door';

/** One access to the bus. */
export interface IOperation {
  /** Byte offset in the design's window. */
  offset: number;
  /** Words to read, when nothing is written. */
  count?: number;
  /** Words to write. */
  data?: number[];
}

/** Why a stream is over: close codes of the API, each with what a person can do. */
const OVER: Record<number, string> = {
  4403: 'You may not watch this board any more.',
  4409: 'The board is busy with a capture or a grader.',
  4410: 'The board session has ended: run the cell again to get a board.',
  4411: 'The board runs another design by now: run the cell again.'
};

/** Messages of the lab that say that a stream is over for good; others are a connection to be made again. */
export function isFinal(code: number): boolean {
  return code === 4403 || code === 4410 || code === 4411;
}

/** The words of a stream that ended. */
export function whyOver(code: number, reason: string): string {
  return OVER[code] ?? (reason === '' ? 'The lab does not answer.' : reason);
}

/** Operations as one binary message, which the lab does as one run. */
export function encode(operations: IOperation[]): ArrayBuffer {
  const size = operations.reduce((sum, operation) => sum + 8 + 4 * (operation.data ?? [0]).length, 0);
  const view = new DataView(new ArrayBuffer(size));
  let at = 0;
  for (const { offset, count, data } of operations) {
    const words = data ?? [count ?? 1];
    // op(1) length(3) as one big-endian word: length is far below 2²⁴.
    view.setUint32(at, ((data ? 1 : 2) << 24) | words.length);
    view.setUint32(at + 4, offset);
    at += 8;
    for (const word of words) {
      view.setUint32(at, word);
      at += 4;
    }
  }
  return view.buffer;
}

/**
 * What became of an operation: the words that were read, or the sentence why there are none; an empty one for what was
 * left out because another one failed.
 */
export type Answer = number[] | string;

/** Answers of one message. */
export function decode(message: ArrayBuffer): Answer[] {
  const view = new DataView(message);
  const answers: Answer[] = [];
  for (let at = 0; at < message.byteLength; ) {
    const head = view.getUint32(at);
    const length = head & 0xffffff;
    at += 4;
    const text = head >>> 24 === 1 ? new Uint8Array(message, at, 4 * length) : new Uint8Array();
    answers.push(
      head >>> 24 === 0
        ? Array.from({ length }, (_, index) => view.getUint32(at + 4 * index))
        : // Filled with NULs to whole words.
          new TextDecoder().decode(text).replace(/\0+$/, '')
    );
    at += 4 * length;
  }
  return answers;
}

/** A stream that is open; answers come in the order of what was sent. */
export class BoardStream {
  /**
   * @param fpgaId - the board.
   * @param design - digest of the design whose registers are meant; the lab refuses when another one is on the board.
   * @param onOpen - it is open.
   * @param onOver - it is over: close code and reason of the WebSocket.
   */
  constructor(
    door: IDoor,
    fpgaId: number,
    design: string,
    onOpen: () => void,
    onOver: (code: number, reason: string) => void
  ) {
    this._socket = door.socket(`fpga/${fpgaId}/stream`, { design });
    this._socket.binaryType = 'arraybuffer';
    this._socket.onopen = onOpen;
    this._socket.onmessage = message => {
      this._waiting.shift()?.(decode(message.data as ArrayBuffer));
    };
    this._socket.onclose = event => {
      for (const tell of this._waiting.splice(0)) {
        tell(null);
      }
      onOver(event.code, event.reason);
    };
  }

  /** Do operations in order, as one run. Gives `null` when the stream is over before they are answered. */
  async run(operations: IOperation[]): Promise<Answer[] | null> {
    if (this._socket.readyState !== WebSocket.OPEN) {
      return null;
    }
    this._socket.send(encode(operations));
    return new Promise(resolve => this._waiting.push(resolve));
  }

  close(): void {
    this._socket.close();
  }

  private readonly _socket: ISocket;
  private readonly _waiting: ((answers: Answer[] | null) => void)[] = [];
}
