/** A lab at the browser's border, for tests: what was asked is written down, and the test answers. */

import { Refusal, type IDoor, type ISocket } from '../lab/door';

/** A WebSocket whose other end the test holds. */
export class FakeSocket implements ISocket {
  binaryType: BinaryType = 'blob';
  readyState: number = WebSocket.CONNECTING;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: (string | ArrayBuffer)[] = [];
  closed = false;

  constructor(
    readonly path: string,
    readonly query: Record<string, string | number | undefined>
  ) {}

  send(message: string | ArrayBuffer): void {
    this.sent.push(message);
  }

  close(): void {
    this.closed = true;
    this.readyState = WebSocket.CLOSING;
  }

  /** The lab takes the handshake. */
  accept(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.(new Event('open'));
  }

  /** The lab sends a message. */
  say(data: unknown): void {
    this.onmessage?.(new MessageEvent('message', { data }));
  }

  /** The lab, or the network, ends it. */
  end(code: number, reason = ''): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.(new CloseEvent('close', { code, reason }));
  }
}

/** A door whose answers a test gives by `METHOD path`; what it has none for is refused. */
export class FakeDoor implements IDoor {
  readonly sockets: FakeSocket[] = [];
  readonly asked: string[] = [];

  constructor(
    readonly answers: Record<string, unknown> = {},
    readonly pace = 0
  ) {}

  async request<T>(method: string, path: string): Promise<T> {
    const what = `${method} ${path}`;
    this.asked.push(what);
    await Promise.resolve();
    const answer = this.answers[what];
    if (answer === undefined || answer instanceof Refusal) {
      throw answer ?? new Refusal('no_answer', 'The Jupyter server does not answer.');
    }
    return answer as T;
  }

  socket(path: string, query: Record<string, string | number | undefined> = {}): FakeSocket {
    const socket = new FakeSocket(path, query);
    this.sockets.push(socket);
    return socket;
  }

  /** The socket that was opened last. */
  get latest(): FakeSocket {
    return this.sockets[this.sockets.length - 1];
  }
}

/** Let everything happen that only waits for promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) {
    await Promise.resolve();
  }
}
