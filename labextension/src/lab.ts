/** The lab as the front end sees it: its boards over HTTP, its changes over one WebSocket. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** A board as `GET …/jupyter-fpga/fpga` describes it (the fields that are shown here). */
export interface IBoard {
  fpga_id: number;
  state: string;
  target: string;
  health: string;
  owner: string | null;
}

/** A frame of `WS …/jupyter-fpga/events`; watermarks carry no board. */
interface IEventFrame {
  kind?: string;
  fpga_id?: number | null;
}

/** How long to wait before asking a lab again that went away, in milliseconds. */
const RECONNECT_DELAY = 2000;

function url(base: string, ...path: string[]): string {
  return URLExt.join(base, 'jupyter-fpga', ...path);
}

/**
 * Ask for all boards.
 *
 * @throws ServerConnection.ResponseError with the lab's own sentence when it refuses.
 */
export async function fetchBoards(
  settings: ServerConnection.ISettings
): Promise<IBoard[]> {
  const response = await ServerConnection.makeRequest(
    url(settings.baseUrl, 'fpga'),
    {},
    settings
  );
  if (!response.ok) {
    const body = (await response.json()) as { message?: string };
    throw new ServerConnection.ResponseError(response, body.message);
  }
  return (await response.json()) as IBoard[];
}

/**
 * Call `onChange` when a board may have changed, and on every (re)connection; `onLost` when the lab can't be
 * reached. The lab pushes; nothing is polled.
 *
 * @returns a function that ends the watch.
 */
export function watchBoards(
  settings: ServerConnection.ISettings,
  onChange: () => void,
  onLost: () => void
): () => void {
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;

  const connect = (): void => {
    const address = url(settings.wsUrl, 'events');
    const query = settings.appendToken
      ? `?token=${encodeURIComponent(settings.token)}`
      : '';
    socket = new settings.WebSocket(address + query);
    socket.onopen = onChange;
    socket.onmessage = message => {
      const frame = JSON.parse(String(message.data)) as IEventFrame;
      if (frame.fpga_id !== undefined && frame.fpga_id !== null) {
        onChange();
      }
    };
    socket.onclose = () => {
      if (!ended) {
        onLost();
        timer = setTimeout(connect, RECONNECT_DELAY);
      }
    };
  };

  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}
