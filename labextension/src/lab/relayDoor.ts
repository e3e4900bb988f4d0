/**
 * The way to the lab through the kernel, by the messages of a widget. The kernel's side is `notebook/widgets/_relay.py`.
 *
 * It is slower than the page's own way, and a kernel that runs a cell takes nothing until it is done; what the lab
 * sends arrives all the same.
 */

import type { IModel } from '../anywidget';
import { Refusal, type IDoor, type ISocket } from './door';

/** Something that the kernel tells: the answer to a request, or what happened to a socket. */
type Item =
  | { is: 'answer'; id: number; body: unknown }
  | { is: 'refusal'; id: number; code: string; message: string }
  | { is: 'open'; id: number }
  | { is: 'text'; id: number; text: string }
  | { is: 'binary'; id: number; buffer: number }
  | { is: 'closed'; id: number; code: number; reason: string };

/** A message of the kernel's: many items at a time, or none when it is about something else. */
interface INews {
  relay?: Item[];
}

interface IPending {
  resolve: (body: unknown) => void;
  reject: (refusal: Refusal) => void;
}

export class RelayDoor implements IDoor {
  /** Ten messages a second, there and back, are what a view may cost: four there, four answers, and some to spare. */
  readonly pace = 250;

  constructor(model: IModel) {
    this._model = model;
    model.on('msg:custom', this._hear);
  }

  /** Hear the kernel no more. Whoever has a socket closes it before; what was asked is never answered. */
  dispose(): void {
    this._model.off('msg:custom', this._hear);
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const id = ids.next().value;
    const answer = new Promise<unknown>((resolve, reject) => this._pending.set(id, { resolve, reject }));
    this._model.send({ relay: 'request', id, method, path, body: body ?? null });
    return (await answer) as T;
  }

  socket(path: string, query: Record<string, string | number | undefined> = {}): ISocket {
    const socket = new RelayedSocket(this._model);
    this._sockets.set(socket.id, socket);
    this._model.send({ relay: 'open', id: socket.id, path, query });
    return socket;
  }

  private readonly _hear = (content: INews, buffers: DataView[]): void => {
    for (const item of content.relay ?? []) {
      this._take(item, buffers);
    }
  };

  private _take(item: Item, buffers: DataView[]): void {
    const pending = this._pending.get(item.id);
    const socket = this._sockets.get(item.id);
    switch (item.is) {
      case 'answer':
        this._pending.delete(item.id);
        pending?.resolve(item.body);
        break;
      case 'refusal':
        this._pending.delete(item.id);
        pending?.reject(new Refusal(item.code, item.message));
        break;
      case 'open':
        socket?.opened();
        break;
      case 'text':
        socket?.onmessage?.(new MessageEvent('message', { data: item.text }));
        break;
      case 'binary': {
        const { buffer, byteOffset, byteLength } = buffers[item.buffer];
        const data = buffer.slice(byteOffset, byteOffset + byteLength);
        socket?.onmessage?.(new MessageEvent('message', { data }));
        break;
      }
      case 'closed':
        this._sockets.delete(item.id);
        socket?.closed(item.code, item.reason);
    }
  }

  private readonly _model: IModel;
  private readonly _pending = new Map<number, IPending>();
  private readonly _sockets = new Map<number, RelayedSocket>();
}

/** Of requests and sockets: every view of a model has a door of its own, and hears what is meant for the others. */
const ids = numbers();

function* numbers(): Generator<number, never> {
  for (let id = Math.floor(Math.random() * 2 ** 40); ; id += 1) {
    yield id;
  }
}

class RelayedSocket implements ISocket {
  readonly id = ids.next().value;
  binaryType: BinaryType = 'arraybuffer';
  readyState: number = WebSocket.CONNECTING;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;

  constructor(model: IModel) {
    this._model = model;
  }

  send(message: string | ArrayBuffer): void {
    if (typeof message === 'string') {
      this._model.send({ relay: 'send', id: this.id, text: message });
    } else {
      this._model.send({ relay: 'send', id: this.id }, undefined, [message]);
    }
  }

  close(): void {
    this.readyState = WebSocket.CLOSING;
    this._model.send({ relay: 'close', id: this.id });
  }

  opened(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.(new Event('open'));
  }

  closed(code: number, reason: string): void {
    this.readyState = WebSocket.CLOSED;
    this.onclose?.(new CloseEvent('close', { code, reason }));
  }

  private readonly _model: IModel;
}
