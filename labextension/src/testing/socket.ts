import type { ISocket } from '../lab/door';

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
