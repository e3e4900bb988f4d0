/** The bench of a simulated board over `WS …/fpga/{id}/bench/watch`: states come when something changes, hands go in. */

import type { IDoor, ISocket } from './door';

/** What there is to see; the fields that are shown. */
export interface IBenchState {
  /** The share of time, 0 to 1, that each LED was on since the state before. */
  lit: number[];
  /** Bit 0 is number 0. */
  buttons: number;
  switches: number;
  powered: boolean;
  /** Board time's speed beside real time; `null` while it stands still. */
  scale: number | null;
  /** Bytes that the console has sent since the board was switched on. */
  console: number;
  /** What it sent since the state before. */
  console_text: string;
}

/** What a hand does. */
export type Action =
  | { action: 'set'; buttons?: number; switches?: number }
  | { action: 'console'; text: string };

/** Who watches. */
export interface IBenchWatcher {
  onState: (state: IBenchState) => void;
  /** An action was refused. */
  onRefusal: (why: string) => void;
  /** It is over, with a close code. */
  onOver: (code: number, reason: string) => void;
}

/** How often the bench is looked at, seconds: a few looks for each picture of a screen, and no flicker below it. */
const INTERVAL = 0.025;

export class BenchSocket {
  /** @param from - from which byte on the console's text is wanted. */
  constructor(door: IDoor, fpgaId: number, from: number, watcher: IBenchWatcher) {
    const interval = Math.max(INTERVAL, door.pace / 1000);
    this._socket = door.socket(`fpga/${fpgaId}/bench/watch`, { interval, console: from });
    this._socket.onmessage = message => {
      const said = JSON.parse(String(message.data)) as IBenchState | { error: string; message: string };
      if ('error' in said) {
        watcher.onRefusal(said.message);
      } else {
        watcher.onState(said);
      }
    };
    this._socket.onclose = event => {
      watcher.onOver(event.code, event.reason);
    };
  }

  act(action: Action): void {
    if (this._socket.readyState === WebSocket.OPEN) {
      this._socket.send(JSON.stringify(action));
    }
  }

  close(): void {
    this._socket.close();
  }

  private readonly _socket: ISocket;
}
