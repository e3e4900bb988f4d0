/** What happens in the lab, as it happens, over one WebSocket that is opened again whenever it is lost. */

import type { IDoor, ISocket } from './door';

/** A frame of `WS …/events`; a watermark has neither board nor job. */
export interface IEvent {
  lsn: number;
  /** The frame before this one, for this reader: when it isn't the last that was seen, something is missing. */
  prev: number;
  kind: string;
  time?: string;
  fpga_id?: number | null;
  job_id?: string | null;
  owner?: string | null;
  /** Of a job that moved. */
  type?: string;
  /** Of an action: which, unless the event is its first; and what it is, then. */
  action_lsn?: number;
  function?: string;
  worker?: string;
  queue_id?: number | null;
  /** Why a board session ended, or a board failed. */
  reason?: string | null;
  /** Who ended it, where that wasn't its time or the board. */
  by?: string | null;
}

/** Who listens. */
export interface IListener {
  /** The lab is there, for the first time or again: whatever is shown has to be asked for anew. */
  onReady: () => void;
  onEvent: (event: IEvent) => void;
  /** The lab went away, and is called again by and by. */
  onLost: () => void;
}

/** Before a lost lab is called again, ms: soon, since most are a restart, then slower. */
export const RETRIES = [500, 1000, 2000, 4000, 8000];

/**
 * Follow the lab's events. After each connection `onReady` is called; nothing that happens later is missed.
 *
 * @returns a function that ends it.
 */
export function followEvents(door: IDoor, listener: IListener): () => void {
  let socket: ISocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let ended = false;

  const connect = (): void => {
    socket = door.socket('events');
    socket.onopen = () => {
      attempt = 0;
      listener.onReady();
    };
    socket.onmessage = message => {
      listener.onEvent(JSON.parse(String(message.data)) as IEvent);
    };
    socket.onclose = () => {
      if (ended) {
        return;
      }
      listener.onLost();
      timer = setTimeout(connect, RETRIES[Math.min(attempt, RETRIES.length - 1)]);
      attempt += 1;
    };
  };

  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}
